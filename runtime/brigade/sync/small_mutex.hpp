// A mutex of four bytes, for critical sections of a few instructions inside objects of which there
// are very many (one per coroutine). Use std::mutex anywhere else.
//
// When contended it spins for a microsecond or so, then sleeps in the kernel. An unlock touches no
// memory of the mutex after the store that releases it, so the owner may destroy it as soon as it
// has acquired and released it itself. Source: U. Drepper, "Futexes Are Tricky", mutex 2.
#pragma once

#include <atomic>
#include <cstdint>

#include <brigade/sync/spin_hint.hpp>

namespace brigade::detail {

class small_mutex {
 public:
  small_mutex() = default;
  small_mutex(const small_mutex&) = delete;
  small_mutex& operator=(const small_mutex&) = delete;

  void lock() noexcept {
    std::uint32_t expected = unlocked;
    // acquire: sees all that the last owner wrote before its release in unlock().
    if (word_.compare_exchange_strong(expected, locked, std::memory_order_acquire,
                                      std::memory_order_relaxed)) {
      return;
    }
    lock_contended();
  }

  void unlock() noexcept {
    // release: publishes what this owner wrote to the next acquire in lock().
    if (word_.exchange(unlocked, std::memory_order_release) == contended) word_.notify_one();
  }

 private:
  static constexpr std::uint32_t unlocked = 0;
  static constexpr std::uint32_t locked = 1;
  static constexpr std::uint32_t contended = 2;
  static constexpr int spin_rounds = 4;

  void lock_contended() noexcept {
    for (int round = 0; round < spin_rounds; ++round) {
      spin_hint();
      std::uint32_t expected = unlocked;
      // relaxed: a look, so that spinning takes the cache line from nobody; the exchange decides.
      if (word_.load(std::memory_order_relaxed) == unlocked &&
          word_.compare_exchange_strong(expected, locked, std::memory_order_acquire,
                                        std::memory_order_relaxed)) {
        return;
      }
    }
    // acquire as in lock(); marking the word contended makes its owner wake one sleeper.
    while (word_.exchange(contended, std::memory_order_acquire) != unlocked) {
      word_.wait(contended, std::memory_order_relaxed);  // relaxed: the exchange above decides
    }
  }

  std::atomic<std::uint32_t> word_{unlocked};
};

}  // namespace brigade::detail
