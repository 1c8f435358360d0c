// What /proc tells of this and other processes: memory, CPU time, switches, threads, family.
//
// Readings of a process that has ended, or that may not be read, are nullopt, empty or zero: a
// process may end at any time between two of them.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace brigade::os {

// From smaps_rollup. PSS is the share of a process where shared pages are divided among those who
// map them: it may be summed over processes. The kernel walks the page tables for it: about 0.1 ms
// for 10 MiB, and the process cannot map memory meanwhile.
struct memory_reading {
  std::uint64_t pss_bytes = 0;
  std::uint64_t private_dirty_bytes = 0;
};
[[nodiscard]] std::optional<memory_reading> read_memory(pid_t pid);
[[nodiscard]] memory_reading parse_smaps_rollup(std::string_view text);

// Most memory resident since exec (VmHWM). Unlike ru_maxrss it does not survive exec.
[[nodiscard]] std::optional<std::uint64_t> read_peak_resident_bytes(pid_t pid);

// Resident memory that is no part of a file or of shared memory, from statm: cheap to ask, counted
// by the kernel in batches of some pages.
[[nodiscard]] std::optional<std::uint64_t> read_private_resident_bytes(pid_t pid);

// From stat, in the kernel's ticks of 10 ms: for finer totals see process_cpu_time(pid).
struct process_stat {
  std::string command;  // comm: at most 15 bytes, may hold anything
  char state = '?';     // 'R', 'S', 'D', 'Z' ...
  bool is_ending = false;  // or a zombie: it runs none of its code any more
  pid_t parent = 0;
  int threads = 0;
  std::chrono::milliseconds user{0};
  std::chrono::milliseconds system{0};
  std::chrono::milliseconds waited_children_user{0};  // descendants that were waited for
  std::chrono::milliseconds waited_children_system{0};
};
[[nodiscard]] std::optional<process_stat> read_process_stat(pid_t pid);
[[nodiscard]] std::optional<process_stat> parse_process_stat(std::string_view text);

// Summed over the threads that are alive; what ended threads have switched is not in /proc.
struct context_switches {
  std::uint64_t voluntary = 0;
  std::uint64_t involuntary = 0;
};
[[nodiscard]] context_switches read_context_switches(pid_t pid);

// What getrusage(2) has counted, to the microsecond, also of threads that have ended.
struct resource_usage {
  std::chrono::microseconds user{0};
  std::chrono::microseconds system{0};
  context_switches switches;
};
enum class usage_of {
  this_process,
  this_thread,
  waited_children,  // those that were waited for, with those that they have waited for
};
[[nodiscard]] resource_usage read_resource_usage(usage_of whom) noexcept;

// What a thread of this process got of the CPU since it began, from its schedstat and stat. nullopt
// where the kernel does not count it.
struct thread_schedule {
  std::chrono::nanoseconds on_cpu{0};
  // Ready to run while others had the CPU. What it waits now is added when that ends.
  std::chrono::nanoseconds run_delay{0};
  bool ready = false;  // running, or waiting for a CPU
};
[[nodiscard]] std::optional<thread_schedule> read_thread_schedule(pid_t thread);

[[nodiscard]] std::vector<pid_t> threads_of(pid_t pid);

// Ascending. Processes that fork meanwhile may be missed.
[[nodiscard]] std::vector<pid_t> children_of(pid_t pid);
[[nodiscard]] std::vector<pid_t> descendants_of(pid_t pid);  // without pid itself
[[nodiscard]] bool is_descendant(pid_t pid, pid_t ancestor);

}  // namespace brigade::os
