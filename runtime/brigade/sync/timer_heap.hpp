// Timers in one structure: pointers to nodes that their owners embed, earliest deadline first.
//
// Timers that are added in the order of their deadlines, as those of one duration are, go into a
// run, which is a sorted array: everything costs O(1). The others go into a four-ary heap, at
// O(log n). Both allocate nothing but the growth of an array. Not thread-safe: an event loop uses
// it alone, timer_service uses it under its mutex.
#pragma once

#include <chrono>
#include <cstddef>
#include <vector>

namespace brigade::detail {

using clock = std::chrono::steady_clock;

// The caller keeps a node alive and in place from add() until it has fired or was cancelled.
struct timer_node {
  static constexpr std::size_t idle = static_cast<std::size_t>(-1);

  void (*fire)(timer_node&) noexcept = nullptr;
  std::size_t position = idle;  // in the heap, or marked, in the run

  [[nodiscard]] bool pending() const noexcept { return position != idle; }
};

class timer_heap {
 public:
  [[nodiscard]] bool empty() const noexcept { return size() == 0; }
  [[nodiscard]] std::size_t size() const noexcept { return heap_.size() + run_live_; }
  // The earliest deadline. Precondition: not empty.
  [[nodiscard]] clock::time_point next() const noexcept {
    return run_is_next() ? run_[run_first_].deadline : heap_.front().deadline;
  }

  // Returns whether the node became the earliest. Throws std::bad_alloc with nothing changed.
  bool add(timer_node& node, clock::time_point deadline);

  // Returns false when the node was not pending (it has fired, or is about to).
  bool cancel(timer_node& node) noexcept;

  // Takes out the earliest node whose deadline is not after `now`; null when there is none.
  timer_node* take_due(clock::time_point now) noexcept;

 private:
  struct entry {
    clock::time_point deadline;
    timer_node* node;  // null: it was cancelled (in the run only)
  };
  static constexpr std::size_t in_run = std::size_t{1} << (8 * sizeof(std::size_t) - 2);

  [[nodiscard]] bool run_is_next() const noexcept {
    return run_live_ != 0 && (heap_.empty() || run_[run_first_].deadline <= heap_.front().deadline);
  }
  void append(timer_node& node, clock::time_point deadline);
  timer_node* take_from_run() noexcept;
  void cancel_in_run(timer_node& node) noexcept;
  void tidy_run() noexcept;

  void place(std::size_t position, entry value) noexcept;
  void sift_up(std::size_t position, entry value) noexcept;
  void sift_down(std::size_t position, entry value) noexcept;
  void remove(std::size_t position) noexcept;

  std::vector<entry> heap_;
  // Sorted from run_first_ on, where the first that is live stands. A node's position is its index
  // plus run_moved_, by which the indices of all have fallen.
  std::vector<entry> run_;
  std::size_t run_first_ = 0;
  std::size_t run_live_ = 0;
  std::size_t run_moved_ = 0;
};

}  // namespace brigade::detail
