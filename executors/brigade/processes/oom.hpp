// Whether the kernel killed something for want of memory: the count of such kills in the control
// group of this process, or, where there is none, in the system.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace brigade::detail {

// The files where this process's kernel counts, the best first.
[[nodiscard]] std::vector<std::string> oom_counters();

class oom_watch {
 public:
  // Counts from now on, in the first of these that has a count. Never throws for what they are:
  // where nothing can be read, nothing has happened.
  explicit oom_watch(const std::vector<std::string>& counters = oom_counters());
  // One more kill than there were calls of this that returned true.
  [[nodiscard]] bool take_kill();

 private:
  std::string path_;
  std::uint64_t known_ = 0;
};

// The number after "oom_kill" in memory.events of a control group or in /proc/vmstat.
[[nodiscard]] std::optional<std::uint64_t> parse_oom_kills(std::string_view text);

}  // namespace brigade::detail
