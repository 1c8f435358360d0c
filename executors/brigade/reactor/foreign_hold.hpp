// Keeps the runtime from being destroyed while a thread that it does not know resumes one of its
// tasks: that thread may still be in the middle of it when the task has ended.
//
// For handlers of Asio that are called on a thread of somebody else. The runtime joins its own
// threads, so for them this does nothing. Precondition: the task has not ended yet.
#pragma once

#include <brigade/work/context.hpp>
#include <brigade/work/dispatcher.hpp>

namespace brigade::detail {

class foreign_hold {
 public:
  explicit foreign_hold(dispatcher& of) noexcept
      : of_(context_record.where != nullptr && context_record.owner == &of ? nullptr : &of) {
    if (of_ != nullptr) of_->hold();
  }
  foreign_hold(const foreign_hold&) = delete;
  foreign_hold& operator=(const foreign_hold&) = delete;
  ~foreign_hold() {
    if (of_ != nullptr) of_->job_settled();
  }

 private:
  dispatcher* of_;
};

}  // namespace brigade::detail
