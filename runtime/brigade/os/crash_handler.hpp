// Handlers of the signals that mean a crash. They tell a sink where it happened and let the signal
// take its course, so that the exit status, a core file and what a debugger shows stay as they
// would have been. On a stack of their own, for a stack that has overflowed. Code that sets a
// handler of its own replaces them.
#pragma once

#include <cstdint>
#include <optional>

namespace brigade::os {

// Called in a signal handler: only what is async-signal-safe may be done there.
class crash_sink {
 public:
  virtual ~crash_sink() = default;
  virtual void begin_crash(int signal, std::optional<std::uint64_t> fault_address) noexcept = 0;
  // A place in the code of a module, innermost first: its file, and the offset in it.
  virtual void add_frame(const char* file, std::uint64_t offset) noexcept = 0;
};

// Once in a process; `sink` stays until stop_crash_reports(). Not under the thread sanitizer.
void report_crashes_to(crash_sink& sink);
void stop_crash_reports() noexcept;

// Ends a process whose handler hangs (SIGALRM).
inline constexpr int hung_handler_signal = 14;

}  // namespace brigade::os
