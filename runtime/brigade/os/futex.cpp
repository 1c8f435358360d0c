#include <brigade/os/futex.hpp>

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace brigade::os {
namespace {

int with_scope(int operation, futex_scope scope) noexcept {
  return scope == futex_scope::this_process ? operation | FUTEX_PRIVATE_FLAG : operation;
}

}  // namespace

bool futex_wait(const std::atomic<std::uint32_t>& word, std::uint32_t expected, futex_scope scope,
                std::optional<deadline> until) noexcept {
  const int saved = errno;
  timespec when{};
  if (until) when = to_timespec(*until);
  // WAIT_BITSET, because its timeout is a point of CLOCK_MONOTONIC where WAIT's is a duration.
  const long result = ::syscall(SYS_futex, &word, with_scope(FUTEX_WAIT_BITSET, scope), expected,
                                until ? &when : nullptr, nullptr, FUTEX_BITSET_MATCH_ANY);
  const bool timed_out = result == -1 && errno == ETIMEDOUT;
  errno = saved;
  return !timed_out;
}

int futex_wake(const std::atomic<std::uint32_t>& word, int count, futex_scope scope) noexcept {
  const int saved = errno;
  const long woken =
      ::syscall(SYS_futex, &word, with_scope(FUTEX_WAKE, scope), count, nullptr, nullptr, 0);
  errno = saved;
  return woken < 0 ? 0 : static_cast<int>(woken);
}

std::optional<bool> futex_wait_any(std::span<const futex_watch> words,
                                   std::optional<deadline> until) noexcept {
#ifdef SYS_futex_waitv
  const int saved = errno;
  std::array<futex_waitv, most_watched> list;
  std::size_t count = 0;
  for (const futex_watch& each : words.first(std::min(words.size(), most_watched))) {
    const auto flags = static_cast<std::uint32_t>(with_scope(FUTEX_32, each.scope));
    list[count++] = {each.expected, reinterpret_cast<std::uintptr_t>(each.word), flags, 0};
  }
  timespec when{};
  if (until) when = to_timespec(*until);
  const long result =
      ::syscall(SYS_futex_waitv, list.data(), count, 0, until ? &when : nullptr, CLOCK_MONOTONIC);
  const int why = result == -1 ? errno : 0;
  errno = saved;
  if (why == ENOSYS || why == EPERM) return std::nullopt;  // an old kernel, or a filter of calls
  return why != ETIMEDOUT;
#else
  static_cast<void>(words);
  static_cast<void>(until);
  return std::nullopt;
#endif
}

}  // namespace brigade::os
