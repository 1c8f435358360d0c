// The right to read answers and to judge deaths: what finishes jobs does so one thread at a time.
#pragma once

#include <mutex>

#include <brigade/processes/conductor.hpp>

namespace brigade::detail {

class conductor::reading_right {
 public:
  // Waits for it.
  explicit reading_right(conductor& of) : of_(&of) {
    locked lock(of.mutex_);
    of.read_.wait(lock, [&] { return !of.reading_; });
    of.reading_ = true;
  }
  // Takes it if nobody has it.
  reading_right(conductor& of, std::try_to_lock_t) {
    const locked lock(of.mutex_);
    if (of.reading_) return;
    of.reading_ = true;
    of_ = &of;
  }
  reading_right(const reading_right&) = delete;
  reading_right& operator=(const reading_right&) = delete;
  ~reading_right() {
    if (of_ == nullptr) return;
    {
      const locked lock(of_->mutex_);
      of_->reading_ = false;
    }
    of_->read_.notify_one();
  }

  [[nodiscard]] explicit operator bool() const noexcept { return of_ != nullptr; }

 private:
  conductor* of_ = nullptr;
};

}  // namespace brigade::detail
