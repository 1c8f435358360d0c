#include <brigade/work/gate.hpp>

namespace brigade::detail {

// A submitter that found no place announces itself in waiting_ and looks again; leave() gives the
// place back and then looks at waiting_. Both are seq_cst, so in their single order one of the two
// comes first and sees the other (Dekker's pattern): nobody sleeps beside a free place.

bool gate::try_enter() noexcept {
  std::size_t inside = inside_.load(std::memory_order_seq_cst);
  while (inside < places_) {
    if (inside_.compare_exchange_weak(inside, inside + 1, std::memory_order_seq_cst)) return true;
  }
  return false;
}

bool gate::try_enter(purse* mine) noexcept {
  if (mine == nullptr) return try_enter();
  const std::uint32_t kept =
      mine->load(std::memory_order_relaxed);  // its own thread's, as all here
  if (kept != 0) {
    mine->store(kept - 1, std::memory_order_relaxed);
    return true;
  }
  constexpr std::size_t some = purse_places / 2;
  std::size_t inside = inside_.load(std::memory_order_relaxed);
  while (inside + some <= places_) {
    if (inside_.compare_exchange_weak(inside, inside + some, std::memory_order_seq_cst)) {
      mine->store(some - 1, std::memory_order_relaxed);
      return true;
    }
  }
  return try_enter();
}

bool gate::try_enter_together(purse& ours) noexcept {
  // relaxed, all but inside_: a place in a purse is a number. It was taken from the gate for good,
  // publishes nothing, and nobody waits for it.
  std::uint32_t kept = ours.load(std::memory_order_relaxed);
  while (kept != 0) {
    if (ours.compare_exchange_weak(kept, kept - 1, std::memory_order_relaxed)) return true;
  }
  constexpr std::size_t some = purse_places / 2;
  std::size_t inside = inside_.load(std::memory_order_relaxed);
  while (inside + some <= places_) {
    if (!inside_.compare_exchange_weak(inside, inside + some, std::memory_order_seq_cst)) continue;
    // Only when it is still empty, so that it never holds more than this.
    kept = 0;
    if (!ours.compare_exchange_strong(kept, some - 1, std::memory_order_relaxed)) leave(some - 1);
    return true;
  }
  return try_enter();
}

bool gate::enter() {
  if (closed()) return false;
  if (try_enter()) return true;
  std::unique_lock lock(mutex_);
  waiting_.fetch_add(1, std::memory_order_seq_cst);
  bool entered = false;
  room_.wait(lock, [&] { return closed() || (entered = try_enter()); });
  waiting_.fetch_sub(1, std::memory_order_relaxed);  // under the mutex, as every reader that acts
  return entered;
}

bool gate::enter_or_register(waiter& waiting) {
  if (try_enter()) return true;
  const std::lock_guard lock(mutex_);
  waiting_.fetch_add(1, std::memory_order_seq_cst);
  if (closed() || try_enter()) {
    waiting_.fetch_sub(1, std::memory_order_relaxed);
    return true;
  }
  waiting.next = nullptr;
  (last_ != nullptr ? last_->next : first_) = &waiting;
  last_ = &waiting;
  return false;
}

bool gate::withdraw(waiter& waiting) noexcept {
  const std::lock_guard lock(mutex_);
  waiter* previous = nullptr;
  for (waiter* at = first_; at != nullptr; previous = at, at = at->next) {
    if (at != &waiting) continue;
    (previous != nullptr ? previous->next : first_) = at->next;
    if (last_ == at) last_ = previous;
    waiting_.fetch_sub(1, std::memory_order_relaxed);
    return true;
  }
  return false;
}

void gate::leave(std::size_t places) noexcept {
  inside_.fetch_sub(places, std::memory_order_seq_cst);
  if (waiting_.load(std::memory_order_seq_cst) != 0) wake_waiting(places);
}

void gate::leave(purse* mine) noexcept {
  if (mine == nullptr) {
    leave();
    return;
  }
  const std::uint32_t kept = mine->load(std::memory_order_relaxed) + 1;
  if (kept > purse_places) {
    mine->store(kept - purse_places / 2, std::memory_order_relaxed);
    leave(std::size_t{purse_places / 2});
    return;
  }
  mine->store(kept, std::memory_order_relaxed);
  // relaxed: a waiter that is overlooked here is seen when the purse is full, which it will be
  // while there is a queue to wait for.
  if (waiting_.load(std::memory_order_relaxed) != 0) {
    mine->store(0, std::memory_order_relaxed);
    leave(kept);
  }
}

void gate::wake_waiting(std::size_t places) noexcept {
  for (; places > 1; --places)
    wake_waiting(1);
  waiter* admitted = nullptr;
  {
    const std::lock_guard lock(mutex_);
    if (first_ != nullptr && try_enter()) {
      admitted = first_;
      first_ = admitted->next;
      if (first_ == nullptr) last_ = nullptr;
      waiting_.fetch_sub(1, std::memory_order_relaxed);
    }
  }
  if (admitted != nullptr) {
    admitted->admit(*admitted);
  } else {
    room_.notify_one();
  }
}

void gate::close() noexcept {
  waiter* all = nullptr;
  {
    const std::lock_guard lock(mutex_);
    closed_.store(true, std::memory_order_release);  // pairs with closed()
    all = first_;
    for (waiter* at = all; at != nullptr; at = at->next) {
      waiting_.fetch_sub(1, std::memory_order_relaxed);
    }
    first_ = last_ = nullptr;
  }
  room_.notify_all();
  while (all != nullptr) {
    waiter* const next = all->next;  // read first: admitting may end the waiter's life
    all->admit(*all);
    all = next;
  }
}

}  // namespace brigade::detail
