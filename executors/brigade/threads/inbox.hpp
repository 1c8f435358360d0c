// Where a pool takes in what outsiders post: first in first out within each priority level.
//
// A short lock, since a list keeps a long queue out of the takers' caches until its turn comes; a
// taker brings a few jobs along each time. Jobs and resumptions have a list each, so that a blocked
// worker can take a resumption past the jobs before it; takers alternate between the two. Allocates
// nothing. Thread-safe.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <mutex>

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

  // seq_cst: part of the handshake in parking.cpp.
  [[nodiscard]] bool empty() const noexcept { return count_.load(std::memory_order_seq_cst) == 0; }
  // Whether an item of level high waits. A hint: relaxed, since take() looks under the mutex.
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

  work_item* take_from(list& from) noexcept;
  work_item* take_kind(kind wanted) noexcept;

  // Written under the mutex, read without.
  alignas(64) std::atomic<std::size_t> count_{0};
  std::atomic<std::size_t> urgent_{0};
  alignas(64) std::mutex mutex_;  // guards what follows
  std::array<std::array<list, kinds>, priority_levels> lists_;
  kind turn_ = job;
};

}  // namespace brigade::detail
