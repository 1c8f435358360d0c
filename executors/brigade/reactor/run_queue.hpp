// The two queues of an event loop: what it has taken (run_queue), what others brought (loop_inbox).
//
// Both are intrusive and allocate nothing.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>

#include <brigade/work/prefetch.hpp>
#include <brigade/work/work_item.hpp>

namespace brigade::detail {

// First in, first out within a level; higher levels first. Of one thread.
class run_queue {
 public:
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }

  void push(work_item& item) noexcept {
    line& to = lines_[static_cast<std::size_t>(item.level)];
    item.next = nullptr;
    if (to.last != nullptr) {
      to.last->next = &item;
    } else {
      to.first = &item;
    }
    to.last = &item;
    ++size_;
  }

  // Precondition: not empty.
  work_item& pop() noexcept {
    std::size_t level = lines_.size() - 1;
    while (lines_[level].first == nullptr)
      --level;
    line& from = lines_[level];
    work_item& item = *from.first;
    from.first = item.next;
    if (from.first == nullptr) from.last = nullptr;
    prefetch(from.first);
    --size_;
    return item;
  }

 private:
  struct line {
    work_item* first = nullptr;
    work_item* last = nullptr;
  };
  std::array<line, priority_levels> lines_;
  std::size_t size_ = 0;
};

// Many threads push, one takes all. It also knows whether the loop is going to look: `idle` means
// that nobody has arranged for a turn of the loop. Whoever ends the idleness must arrange one, so
// a burst of pushes wakes the loop once.
class loop_inbox {
 public:
  loop_inbox() noexcept { idle_mark_.next = nullptr; }
  loop_inbox(const loop_inbox&) = delete;
  loop_inbox& operator=(const loop_inbox&) = delete;

  // From any thread. True when this push ended the idleness.
  [[nodiscard]] bool push(work_item& item) noexcept {
    work_item* head = head_.load(std::memory_order_relaxed);
    do {
      item.next = head == &idle_mark_ ? nullptr : head;
      // release: publishes the item, and what its owner wrote, to take_all(). acquire: whoever
      // ends the idleness sees what the loop did before, such as freeing the memory of its turn.
    } while (!head_.compare_exchange_weak(head, &item, std::memory_order_acq_rel,
                                          std::memory_order_relaxed));
    return head == &idle_mark_;
  }

  // The loop's thread, without an item. True when this call ended the idleness.
  [[nodiscard]] bool wake() noexcept {
    work_item* head = head_.load(std::memory_order_relaxed);  // only a pointer is compared
    return head == &idle_mark_ &&
           head_.compare_exchange_strong(head, nullptr, std::memory_order_relaxed);
  }

  // The loop's thread. Moves everything, oldest first, into `to`. Returns whether there was
  // anything.
  bool take_all(run_queue& to) noexcept {
    const work_item* const head = head_.load(std::memory_order_relaxed);  // a later look finds it
    if (head == nullptr || head == &idle_mark_) return false;
    work_item* item = head_.exchange(nullptr, std::memory_order_acquire);  // pairs with push()
    work_item* oldest = nullptr;
    while (item != nullptr) {
      work_item* const next = item->next;
      item->next = oldest;
      oldest = item;
      item = next;
    }
    while (oldest != nullptr) {
      work_item* const next = oldest->next;
      to.push(*oldest);
      oldest = next;
    }
    return true;
  }

  // The loop's thread: no turn is arranged from now on. False when something has arrived.
  [[nodiscard]] bool try_idle() noexcept {
    work_item* head = nullptr;
    // release: pairs with the acquire of whoever ends the idleness.
    return head_.compare_exchange_strong(head, &idle_mark_, std::memory_order_release,
                                         std::memory_order_relaxed);
  }

 private:
  work_item idle_mark_;
  std::atomic<work_item*> head_{&idle_mark_};
};

}  // namespace brigade::detail
