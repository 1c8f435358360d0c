// Sleeping on a 32-bit word until somebody wakes it, futex(2).
//
// std::atomic::wait is private to one process in libstdc++ and has no deadline; this has both. The
// word may lie in shared memory with scope `shared`. The calls order no memory: the caller's own
// atomic operations on the word do.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <span>

#include <brigade/os/clock.hpp>

namespace brigade::os {

enum class futex_scope : std::uint8_t {
  this_process,  // cheaper: the kernel need not look up the page
  shared,        // any process that has mapped the word
};

static_assert(sizeof(std::atomic<std::uint32_t>) == 4);
static_assert(std::atomic<std::uint32_t>::is_always_lock_free);

// Sleeps while the word holds `expected`. Returns false only when the deadline passed; true when
// woken, when the word was different, and now and then for no reason: always check again.
bool futex_wait(const std::atomic<std::uint32_t>& word, std::uint32_t expected,
                futex_scope scope = futex_scope::this_process,
                std::optional<deadline> until = std::nullopt) noexcept;

inline constexpr int everybody = 0x7fffffff;

// Wakes up to `count` sleepers; returns how many it woke. Touches only the word's address: it may
// be freed meanwhile by a waiter that saw its value change.
int futex_wake(const std::atomic<std::uint32_t>& word, int count,
               futex_scope scope = futex_scope::this_process) noexcept;

// Sleeping on several words at once, futex_waitv(2).
struct futex_watch {
  const std::atomic<std::uint32_t>* word;
  std::uint32_t expected;
  futex_scope scope = futex_scope::this_process;
};
inline constexpr std::size_t most_watched = 128;

// As futex_wait on each of them: sleeps while all hold what is expected. nullopt when the kernel
// cannot (before Linux 5.16); false when the deadline passed. At most `most_watched`.
std::optional<bool> futex_wait_any(std::span<const futex_watch> words,
                                   std::optional<deadline> until = std::nullopt) noexcept;

}  // namespace brigade::os
