// The slots of a pool's threads. There may become more of them while thieves look at the others.
//
// Owned by the pool. Under its mutex, but for looking up a slot that the caller has been told of:
// slots never move and last as long as the table.
#pragma once

#include <array>
#include <cstddef>
#include <memory>

#include <brigade/threads/options.hpp>
#include <brigade/threads/worker.hpp>

namespace brigade::detail {

class worker_table {
 public:
  // At least so many. Throws std::bad_alloc with nothing lost. The caller publishes the new ones.
  void grow(unsigned count) {
    for (; size_ < count; ++size_) {
      auto& part = parts_[size_ / part_size];
      if (!part) part = std::make_unique<part_type>();
      (*part)[size_ % part_size] = std::make_unique<worker>(size_);
    }
  }
  [[nodiscard]] worker& operator[](unsigned index) const noexcept {
    return *(*parts_[index / part_size])[index % part_size];
  }
  [[nodiscard]] unsigned size() const noexcept { return size_; }

 private:
  static constexpr unsigned part_size = 64;
  using part_type = std::array<std::unique_ptr<worker>, part_size>;

  std::array<std::unique_ptr<part_type>, 2 * most_threads / part_size> parts_;
  unsigned size_ = 0;
};

}  // namespace brigade::detail
