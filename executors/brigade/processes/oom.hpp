// Whether the kernel killed something for want of memory: the count of such kills in the control
// group of this process, or, where there is none, in the system.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace brigade::detail {

class oom_watch {
 public:
  // Counts from now on. Never throws: where nothing can be read, nothing has happened.
  oom_watch();
  // One more kill than there were calls of this that returned true.
  [[nodiscard]] bool take_kill();

 private:
  std::string path_;
  std::uint64_t known_ = 0;
};

// The number after "oom_kill" in memory.events of a control group or in /proc/vmstat.
[[nodiscard]] std::optional<std::uint64_t> parse_oom_kills(std::string_view text);

}  // namespace brigade::detail
