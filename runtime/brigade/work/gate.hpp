// Counts the tasks that wait in one executor's queue and makes submitters wait for room.
//
// One atomic counter on the way in and out; the mutex is taken only when somebody waits. A worker
// may have a purse: places that it keeps from one task to the next, so that it touches the common
// counter once in many tasks; so may a few outside threads together. Only gates with very many
// places let them. Thread-safe.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>

namespace brigade::detail {

class gate {
 public:
  // Somebody who waits without a thread. `admit` runs with a place already taken for it, on the
  // thread that left; it must not block.
  struct waiter {
    void (*admit)(waiter&) noexcept = nullptr;
    waiter* next = nullptr;
  };

  using purse = std::atomic<std::uint32_t>;  // written by its owner only, or a common one

  explicit gate(std::size_t places) noexcept : places_(places) {}
  gate(const gate&) = delete;
  gate& operator=(const gate&) = delete;

  [[nodiscard]] bool try_enter() noexcept;
  // The same with a purse, which may be null.
  [[nodiscard]] bool try_enter(purse* mine) noexcept;
  // The same with a purse of several threads, which holds fewer than half as many places. Those
  // lie there until one of them takes them, however long.
  [[nodiscard]] bool try_enter_together(purse& ours) noexcept;
  // Takes a place even when there is none: for what follows from something admitted before.
  void enter_always() noexcept { inside_.fetch_add(1, std::memory_order_relaxed); }  // only adds
  // Blocks until there is a place; returns false when the gate was closed instead.
  [[nodiscard]] bool enter();
  // Takes a place and returns true, or registers the waiter and returns false.
  [[nodiscard]] bool enter_or_register(waiter& waiting);
  // Withdraws a registered waiter; false when it has been or is being admitted.
  [[nodiscard]] bool withdraw(waiter& waiting) noexcept;
  void leave(std::size_t places = 1) noexcept;
  void leave(purse* mine) noexcept;
  // How many workers may have a purse; when it is none, there are no common ones either. With at
  // most so many, and eight common ones, purses hold a twelfth of the places; those who wait for
  // room then wait for many queued tasks, and whoever starts these looks for them.
  [[nodiscard]] std::size_t most_purses() const noexcept {
    return places_ < 16384 ? 0 : places_ / (16 * purse_places);
  }
  // Those who wait give up: enter() returns false, waiters are admitted without a place taken and
  // find the gate closed.
  void close() noexcept;

  [[nodiscard]] bool closed() const noexcept {
    return closed_.load(std::memory_order_acquire);  // pairs with close()
  }
  // Those in purses too.
  [[nodiscard]] std::size_t inside() const noexcept {
    return inside_.load(std::memory_order_relaxed);  // a statistic
  }
  [[nodiscard]] std::size_t places() const noexcept { return places_; }

 private:
  static constexpr std::uint32_t purse_places = 64;  // at most

  void wake_waiting(std::size_t places) noexcept;

  const std::size_t places_;
  std::atomic<std::size_t> inside_{0};
  std::atomic<std::size_t> waiting_{0};
  std::atomic<bool> closed_{false};
  std::mutex mutex_;
  std::condition_variable room_;
  waiter* first_ = nullptr;  // in order of arrival
  waiter* last_ = nullptr;
};

}  // namespace brigade::detail
