// A counter with a descriptor: wakes whoever polls it. Any thread or process may signal.
#pragma once

#include <cstdint>

#include <brigade/os/fd.hpp>

namespace brigade::os {

class eventfd {
 public:
  eventfd();                                                         // non-blocking
  explicit eventfd(unique_fd fd) noexcept : fd_(std::move(fd)) {}  // one that was received

  [[nodiscard]] int get() const noexcept { return fd_.get(); }

  // Adds one and so makes the descriptor readable. Async-signal-safe; never blocks.
  void signal() const noexcept;

  // Takes the count; 0 when nobody has signalled since.
  std::uint64_t drain() const noexcept;

 private:
  unique_fd fd_;
};

}  // namespace brigade::os
