// The CPU clocks, as durations, and points of the monotonic clock as the kernel wants them.
//
// std::chrono::steady_clock is CLOCK_MONOTONIC; a deadline is a point of it everywhere in brigade.
// Reading a thread's CPU clock costs about 250 ns, the monotonic clock about 25 ns.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <ctime>
#include <optional>

namespace brigade::os {

using deadline = std::chrono::steady_clock::time_point;

// User and system time of the calling thread.
[[nodiscard]] std::chrono::nanoseconds thread_cpu_time() noexcept;

// User and system time of all threads of this process, also of those that have ended.
[[nodiscard]] std::chrono::nanoseconds process_cpu_time() noexcept;

// The same of another process (not of its children); nullopt when there is none of that id.
[[nodiscard]] std::optional<std::chrono::nanoseconds> process_cpu_time(pid_t pid) noexcept;

// The monotonic clock as of the kernel's last tick: at most about 10 ms behind steady_clock, never
// ahead of it, and several times cheaper to read.
[[nodiscard]] deadline coarse_now() noexcept;

// Holds any duration of std::chrono, and nanoseconds of three centuries exactly.
using any_time = std::chrono::duration<long double, std::nano>;

// That point in the clock's own duration, rounded up. What does not fit is the first or the last.
template <class Duration>
[[nodiscard]] deadline at(
    std::chrono::time_point<std::chrono::steady_clock, Duration> when) noexcept {
  const any_time since(when.time_since_epoch());
  if (since >= any_time(deadline::max().time_since_epoch())) return deadline::max();
  if (since <= any_time(deadline::min().time_since_epoch())) return deadline::min();
  return std::chrono::ceil<deadline::duration>(when);
}

// So long from now, rounded up. What does not fit is never, or has always been.
template <class Rep, class Period>
[[nodiscard]] deadline after(std::chrono::duration<Rep, Period> time) noexcept {
  const deadline now = std::chrono::steady_clock::now();
  // As double, which holds any: a second less than what fits covers what it rounds.
  const double seconds = std::chrono::duration<double>(time).count();
  const double most = std::chrono::duration<double>(deadline::max() - now).count() - 1;
  if (seconds >= most) return deadline::max();
  if (seconds <= -most) return now;
  return now + std::chrono::ceil<deadline::duration>(time);
}

// Points before the clock's start become its start.
[[nodiscard]] timespec to_timespec(deadline when) noexcept;

// What poll(2) and epoll_wait(2) want: milliseconds rounded up, 0 when passed, -1 for no deadline.
[[nodiscard]] int milliseconds_until(std::optional<deadline> when) noexcept;

}  // namespace brigade::os
