// How map splits its elements among threads: into ranges that become smaller towards the end.
//
// Each is a share of what is left, so that workers that come late, or got elements that cost more,
// are evened out by the small ones. A task is not bound to a range: it claims the next one when it
// starts, so the large ones go first in whatever order the tasks run. Owned by all tasks of a map.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <utility>
#include <vector>

namespace brigade::detail {

class guided_ranges {
 public:
  // The first range is half of a worker's even share: elements whose cost falls or grows in
  // proportion to their place still end together.
  guided_ranges(std::size_t count, unsigned workers) {
    const std::size_t parts = std::size_t{2} * std::max(1U, workers);
    for (std::size_t end = 0; end < count;) {
      end += std::max<std::size_t>(1, (count - end) / parts);
      ends_.push_back(end);
    }
  }

  [[nodiscard]] std::size_t size() const noexcept { return ends_.size(); }
  // The index of a range that nobody has claimed. Thread-safe; size() times at most. relaxed: who
  // submitted the tasks wrote the ranges before.
  [[nodiscard]] std::size_t claim() noexcept {
    return next_.fetch_add(1, std::memory_order_relaxed);
  }
  // Of a range, where it begins and ends.
  [[nodiscard]] std::pair<std::size_t, std::size_t> operator[](std::size_t index) const noexcept {
    return {index == 0 ? 0 : ends_[index - 1], ends_[index]};
  }

 private:
  std::vector<std::size_t> ends_;
  std::atomic<std::size_t> next_{0};
};

}  // namespace brigade::detail
