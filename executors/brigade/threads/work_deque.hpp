// The queue of one worker: the owner pushes and pops at the bottom (newest first), thieves take
// from the top (oldest first). Lock-free.
//
// Source: Chase and Lev, "Dynamic Circular Work-Stealing Deque" (2005), with sequentially
// consistent operations where Le et al. (2013) use fences: the thread sanitizer does not know
// fences. Holds pointers only, which a thief never follows before it has won them.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include <brigade/work/work_item.hpp>

namespace brigade::detail {

class work_deque {
 public:
  work_deque() = default;
  work_deque(const work_deque&) = delete;
  work_deque& operator=(const work_deque&) = delete;

  // Owner only. Throws std::bad_alloc with nothing pushed.
  void push(work_item& item) {
    work_item* const one = &item;
    push(&one, 1);
  }
  // Several at once, of which pop() gives the first one first; 256 at most.
  void push(work_item* const* items, std::int64_t count) {
    const std::int64_t bottom = bottom_.load(std::memory_order_relaxed);  // only the owner writes
    const std::int64_t top = top_.load(std::memory_order_acquire);  // a thief is done with the slot
    ring* slots = ring_.load(std::memory_order_relaxed);            // only the owner writes
    if (slots == nullptr || bottom - top > slots->capacity() - count) {
      slots = grow(slots, top, bottom);
    }
    for (std::int64_t index = 0; index < count; ++index) {
      slots->put(bottom + count - 1 - index, items[index]);
    }
    // seq_cst: publishes the slots, and comes before the look at who searches (parking.cpp).
    bottom_.store(bottom + count, std::memory_order_seq_cst);
  }

  // Owner only. Null when empty.
  work_item* pop() noexcept {
    const std::int64_t bottom = bottom_.load(std::memory_order_relaxed) - 1;
    if (bottom < top_.load(std::memory_order_relaxed)) return nullptr;  // top only grows: empty
    ring* const slots = ring_.load(std::memory_order_relaxed);
    // seq_cst, with the loads in steal(): either the thief sees the lower bottom, or we see its
    // higher top.
    bottom_.store(bottom, std::memory_order_seq_cst);
    std::int64_t top = top_.load(std::memory_order_seq_cst);
    work_item* item = nullptr;
    if (top < bottom) return slots->get(bottom);
    if (top == bottom) {
      item = slots->get(bottom);
      // The last item: whoever moves top wins it. seq_cst as in steal().
      if (!top_.compare_exchange_strong(top, top + 1, std::memory_order_seq_cst,
                                        std::memory_order_relaxed)) {
        item = nullptr;
      }
    }
    // release: a thief that reads this value must still see the slots below it.
    bottom_.store(bottom + 1, std::memory_order_release);
    return item;
  }

  // Anybody. Null when empty, or when another one was faster.
  work_item* steal() noexcept {
    std::int64_t top = top_.load(std::memory_order_seq_cst);  // before bottom: see pop()
    const std::int64_t bottom = bottom_.load(std::memory_order_seq_cst);
    if (top >= bottom) return nullptr;
    // acquire: sees the slots that grow() copied.
    work_item* const item = ring_.load(std::memory_order_acquire)->get(top);
    // seq_cst: the one decision who gets the item. When it succeeds, nobody had reused the slot.
    if (!top_.compare_exchange_strong(top, top + 1, std::memory_order_seq_cst,
                                      std::memory_order_relaxed)) {
      return nullptr;
    }
    return item;
  }

  // Anybody. seq_cst: part of the handshake in parking.cpp.
  [[nodiscard]] bool empty() const noexcept {
    const std::int64_t top = top_.load(std::memory_order_seq_cst);
    return top >= bottom_.load(std::memory_order_seq_cst);
  }

 private:
  class ring {
   public:
    explicit ring(std::int64_t capacity)
        : slots_(static_cast<std::size_t>(capacity)), mask_(slots_.size() - 1) {}
    [[nodiscard]] std::int64_t capacity() const noexcept {
      return static_cast<std::int64_t>(slots_.size());
    }
    // relaxed: bottom_ and ring_ publish the slots; they are atomic because a slow thief may read
    // one that is being reused, and then loses the race for top_.
    void put(std::int64_t at, work_item* item) noexcept {
      slots_[static_cast<std::size_t>(at) & mask_].store(item, std::memory_order_relaxed);
    }
    [[nodiscard]] work_item* get(std::int64_t at) const noexcept {
      return slots_[static_cast<std::size_t>(at) & mask_].load(std::memory_order_relaxed);
    }

   private:
    std::vector<std::atomic<work_item*>> slots_;
    std::size_t mask_;
  };

  ring* grow(const ring* old, std::int64_t top, std::int64_t bottom) {
    constexpr std::int64_t first_capacity = 256;
    auto wider = std::make_unique<ring>(old == nullptr ? first_capacity : 2 * old->capacity());
    for (std::int64_t at = top; at < bottom; ++at)
      wider->put(at, old->get(at));
    rings_.push_back(std::move(wider));
    // release: publishes the copied slots to thieves.
    ring_.store(rings_.back().get(), std::memory_order_release);
    return rings_.back().get();
  }

  alignas(64) std::atomic<std::int64_t> top_{0};     // thieves write it
  alignas(64) std::atomic<std::int64_t> bottom_{0};  // the owner writes it, at every task
  std::atomic<ring*> ring_{nullptr};
  std::vector<std::unique_ptr<ring>> rings_;  // thieves may still read old ones: kept to the end
};

}  // namespace brigade::detail
