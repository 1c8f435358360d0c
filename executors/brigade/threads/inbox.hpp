// Where a pool takes in what outsiders post: first in first out within each priority level.
//
// Two halves, each with a short lock: posters append to the lists of arrivals, takers take from
// lists of their own and fetch all arrivals at once when these run low. So a poster waits for
// another one or for a few moves of pointers, never for a taker that walks through items which are
// in no cache of its own. Jobs and resumptions have a list each, so that a blocked worker can take
// a resumption past the jobs before it; takers alternate between the two. Allocates nothing.
// Thread-safe.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <mutex>

#include <brigade/sync/small_mutex.hpp>
#include <brigade/work/work_item.hpp>

namespace brigade::detail {

class inbox {
 public:
  void push(work_item& item) noexcept;

  // The first item of the highest level, `lowest` or above; null when there is none.
  work_item* take(priority lowest = priority::low) noexcept;
  work_item* take_resumption() noexcept { return take_kind(resumption); }
  work_item* take_job() noexcept { return take_kind(job); }
  // Jobs of level normal, a fair share for one of `takers`: no more than fit into `into`. Returns
  // how many; none while anything of a higher level or a resumption waits.
  static constexpr std::size_t most_at_once = 16;
  using several = std::array<work_item*, most_at_once>;
  std::size_t take_share(several& into, unsigned takers) noexcept;

  // What somebody who is worried sees: resumptions, and since when the first job of a level waits
  // of which that is known; the highest value when there is none.
  struct glance {
    std::size_t resumptions = 0;
    std::chrono::steady_clock::time_point oldest = std::chrono::steady_clock::time_point::max();
  };
  [[nodiscard]] glance look() noexcept;

  // In this order: both only grow, so when they are equal the box was empty in between.
  [[nodiscard]] bool empty() const noexcept {
    // seq_cst: part of the handshake in parking.cpp.
    const std::size_t taken = taken_.load(std::memory_order_seq_cst);
    return pushed_.load(std::memory_order_seq_cst) == taken;
  }
  // Whether an item of level high waits. A hint: relaxed, since take() looks under the locks.
  [[nodiscard]] bool has_urgent() const noexcept {
    return urgent_.load(std::memory_order_relaxed) != 0;
  }

 private:
  enum kind : unsigned { job, resumption, kinds };
  struct list {
    work_item* first = nullptr;
    work_item* last = nullptr;
    std::size_t count = 0;
  };
  using lists = std::array<std::array<list, kinds>, priority_levels>;

  [[nodiscard]] bool nothing_to_take() const noexcept;
  void fetch_arrivals() noexcept;
  work_item* take_from(list& from) noexcept;
  work_item* take_kind(kind wanted) noexcept;

  // Each group in cache lines of its own. What posters write:
  alignas(64) small_mutex arriving_;
  std::atomic<std::size_t> pushed_{0};  // written under arriving_, read without
  lists arrivals_;                      // guarded by arriving_
  // What takers write; who has both locks took this one first:
  alignas(64) small_mutex taking_;
  std::atomic<std::size_t> taken_{0};    // written under taking_, as all of these
  std::atomic<std::size_t> fetched_{0};  // read without: these two
  lists lists_;
  kind turn_ = job;
  // What is rarely written and often read: how many items are in the box that are no jobs of level
  // normal, and how many of level high.
  alignas(64) std::atomic<std::size_t> special_{0};
  std::atomic<std::size_t> urgent_{0};
};

}  // namespace brigade::detail
