#include <brigade/os/clock.hpp>

#include <algorithm>
#include <limits>

namespace brigade::os {
namespace {

using std::chrono::nanoseconds;
using std::chrono::seconds;

nanoseconds to_duration(const timespec& time) noexcept {
  return seconds(time.tv_sec) + nanoseconds(time.tv_nsec);
}

nanoseconds read_clock(clockid_t clock) noexcept {
  timespec time{};
  ::clock_gettime(clock, &time);
  return to_duration(time);
}

}  // namespace

nanoseconds thread_cpu_time() noexcept { return read_clock(CLOCK_THREAD_CPUTIME_ID); }

nanoseconds process_cpu_time() noexcept { return read_clock(CLOCK_PROCESS_CPUTIME_ID); }

std::optional<nanoseconds> process_cpu_time(pid_t pid) noexcept {
  clockid_t clock{};
  timespec time{};
  if (::clock_getcpuclockid(pid, &clock) != 0) return std::nullopt;
  if (::clock_gettime(clock, &time) != 0) return std::nullopt;
  return to_duration(time);
}

deadline coarse_now() noexcept {
  return deadline(
      std::chrono::duration_cast<deadline::duration>(read_clock(CLOCK_MONOTONIC_COARSE)));
}

timespec to_timespec(deadline when) noexcept {
  const auto since = std::max(nanoseconds(0), nanoseconds(when.time_since_epoch()));
  const auto whole = std::chrono::duration_cast<seconds>(since);
  return {static_cast<time_t>(whole.count()), static_cast<long>((since - whole).count())};
}

int milliseconds_until(std::optional<deadline> when) noexcept {
  if (!when) return -1;
  const auto now = std::chrono::steady_clock::now();
  if (*when <= now) return 0;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(*when - now).count();
  return static_cast<int>(std::min<long long>(left, std::numeric_limits<int>::max()));
}

}  // namespace brigade::os
