// A mutex of four bytes, for critical sections of a few instructions inside objects of which there
// are very many (one per coroutine). Use std::mutex anywhere else.
//
// It sleeps in the kernel when contended. An unlock touches no memory of the mutex after the store
// that releases it, so the owner may destroy it as soon as it has acquired and released it itself.
// Source: U. Drepper, "Futexes Are Tricky", mutex 2.
#pragma once

#include <atomic>
#include <cstdint>

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

  void lock_contended() noexcept {
    // acquire as in lock(); marking the word contended makes its owner wake one sleeper.
    while (word_.exchange(contended, std::memory_order_acquire) != unlocked) {
      word_.wait(contended, std::memory_order_relaxed);  // relaxed: the exchange above decides
    }
  }

  std::atomic<std::uint32_t> word_{unlocked};
};

}  // namespace brigade::detail
