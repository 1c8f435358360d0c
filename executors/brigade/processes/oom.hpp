// Whether the kernel killed something for want of memory: the count of such kills in the control
// group of this process, of either version, or, where there is none, in the system. In the last
// case a kill of somebody else's process counts too.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <brigade/sync/timer_heap.hpp>

namespace brigade::detail {

// The files where the kernel counts for this process, the best first.
[[nodiscard]] std::vector<std::string> oom_counters();

class oom_watch {
 public:
  // Counts from now on, in the first of these that has a count; goes on counting when it does so
  // already. Never throws for what they are: where nothing can be read, nothing has happened.
  void count_in(const std::vector<std::string>& counters);
  // One more kill than there were calls of this that returned true. Kills that nobody has taken a
  // second after they were seen here were of other processes.
  [[nodiscard]] bool take_kill(clock::time_point now);

 private:
  std::string path_;
  std::uint64_t known_ = 0;  // taken, or of others
  std::uint64_t seen_ = 0;
  clock::time_point seen_at_{};
};

// The number after "oom_kill" in memory.events or memory.oom_control of a control group, or in
// /proc/vmstat.
[[nodiscard]] std::optional<std::uint64_t> parse_oom_kills(std::string_view text);

}  // namespace brigade::detail
