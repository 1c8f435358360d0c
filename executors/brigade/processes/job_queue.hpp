// What waits for a worker process: fresh jobs by priority, in order of arrival, and before them
// those that have been sent before and are to be sent again. Not thread-safe; owns nothing.
#pragma once

#include <algorithm>
#include <array>
#include <deque>

#include <brigade/work/job_state.hpp>
#include <brigade/work/work_item.hpp>

namespace brigade::detail {

class job_queue {
 public:
  void push(work_item& item) noexcept {
    fifo& its = levels_[static_cast<std::size_t>(item.level)];
    item.next = nullptr;
    (its.last != nullptr ? its.last->next : its.first) = &item;
    its.last = &item;
    ++fresh_;
  }

  // Where it was before it was popped.
  void push_front(work_item& item) noexcept {
    fifo& its = levels_[static_cast<std::size_t>(item.level)];
    item.next = its.first;
    its.first = &item;
    if (its.last == nullptr) its.last = &item;
    ++fresh_;
  }

  // Of the highest level; null when empty. It may have been cancelled: try_start() tells.
  [[nodiscard]] work_item* pop() noexcept {
    for (std::size_t level = priority_levels; level-- > 0;) {
      fifo& its = levels_[level];
      if (its.first == nullptr) continue;
      work_item* const item = its.first;
      its.first = item->next;
      if (its.first == nullptr) its.last = nullptr;
      --fresh_;
      return item;
    }
    return nullptr;
  }

  // A job whose body has started and whose call will be sent once more.
  void push_again(job_state& job) { again_.push_back(&job); }
  [[nodiscard]] job_state* pop_again() noexcept {
    if (again_.empty()) return nullptr;
    job_state* const job = again_.front();
    again_.pop_front();
    return job;
  }
  // Whether it was there.
  [[nodiscard]] bool remove_again(const job_state& job) noexcept {
    const auto found = std::ranges::find(again_, &job);
    if (found == again_.end()) return false;
    again_.erase(found);
    return true;
  }

  // With those that were cancelled and are still in it.
  [[nodiscard]] std::size_t size() const noexcept { return fresh_ + again_.size(); }
  [[nodiscard]] bool empty() const noexcept { return size() == 0; }

 private:
  struct fifo {
    work_item* first = nullptr;
    work_item* last = nullptr;
  };
  std::array<fifo, priority_levels> levels_;
  std::size_t fresh_ = 0;
  std::deque<job_state*> again_;
};

}  // namespace brigade::detail
