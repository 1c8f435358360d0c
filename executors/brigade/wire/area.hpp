// Where the next body goes in an area: a ring of bytes, written by one side and let go in the same
// order by the other. Positions count all bytes ever used, so that they never repeat; a body lies
// in one piece. An area that is empty starts again at its first byte, which the caches still know.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace brigade::wire {

class area {
 public:
  explicit constexpr area(std::size_t bytes) noexcept : bytes_(bytes) {}

  // The position of `size` bytes, when the bytes before `freed` may be used again.
  [[nodiscard]] std::optional<std::uint64_t> place(std::uint64_t size,
                                                   std::uint64_t freed) noexcept {
    if (size > bytes_ || freed > next_) return std::nullopt;
    const bool empty = freed == next_ || next_ == floor_;
    std::uint64_t at = next_;
    if (empty || at % bytes_ + size > bytes_) at = (at + bytes_ - 1) / bytes_ * bytes_;
    if (empty) {
      floor_ = at;
    } else if (at + size - std::max(freed, floor_) > bytes_) {
      return std::nullopt;
    }
    next_ = at + size;
    return at;
  }

  // The body that was placed last ends there and not later.
  void shorten(std::uint64_t end) noexcept { next_ = std::min(next_, end); }

  [[nodiscard]] std::uint64_t next() const noexcept { return next_; }

 private:
  std::uint64_t bytes_;
  std::uint64_t next_ = 0;
  std::uint64_t floor_ = 0;  // nothing before it is in use, however little has been let go
};

// Whether a body that is said to lie there lies inside of an area.
[[nodiscard]] constexpr bool inside_area(std::uint64_t at, std::uint64_t size,
                                         std::size_t bytes) noexcept {
  return size <= bytes && at % bytes <= bytes - size;
}

}  // namespace brigade::wire
