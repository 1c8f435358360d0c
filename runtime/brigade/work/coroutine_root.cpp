#include <brigade/work/coroutine_root.hpp>

#include <brigade/work/context.hpp>
#include <brigade/work/dispatcher.hpp>
#include <brigade/work/job_state.hpp>

namespace brigade::detail {

coroutine_root::coroutine_root() noexcept {
  // A resumption is never discarded: only by resuming can the frames unwind.
  act = [](work_item& item, item_action) noexcept {
    static_cast<coroutine_root&>(item).resume_here();
  };
}

void coroutine_root::resume_here() noexcept {
  const task_scope scope(*job_);
  run(leaf_);
}

void coroutine_root::start(job_state& job, executor& home, std::coroutine_handle<> first) noexcept {
  {
    // A cancellation that comes while the job is starting looks for the home under this lock.
    const std::lock_guard lock(mutex_);
    job_ = &job;
    home_ = &home;
    level = job.level;
  }
  run(first);
}

void coroutine_root::run(std::coroutine_handle<> next) noexcept {
  trampoline here;
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdangling-pointer"  // frames use it only below this function
#endif
  trampoline_ = &here;
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif
  // Once a frame has suspended on a wait, another thread may run the coroutine and end it: from
  // then on only `here` may be touched. A finished chain belongs to this thread alone.
  job_state* const job = job_;
  while (next) {
    here.next = nullptr;
    next.resume();
    next = here.next;
  }
  if (here.finished) job->root_finished();
}

void coroutine_root::move_to(executor& target, std::coroutine_handle<> leaf) noexcept {
  {
    const std::lock_guard lock(mutex_);
    home_ = &target;
  }
  requeue(leaf);
}

void coroutine_root::note_suspension() noexcept { job_->owner()->body_suspends(*job_); }

void coroutine_root::requeue(std::coroutine_handle<> leaf) noexcept {
  note_suspension();
  leaf_ = leaf;
  executor& target = *home_;
  target.post(*this);  // nothing of this object may be touched after this line
}

void coroutine_root::cancel() noexcept {
  executor* home = nullptr;
  {
    const std::lock_guard lock(mutex_);
    home = home_;
    if (home == nullptr) cancel_pending_ = true;  // not started yet: the first wait is cancelled
  }
  if (home != nullptr) home->cancel_wait(*this);
}

bool coroutine_root::cancel_here(const executor& home) noexcept {
  const std::lock_guard lock(mutex_);
  if (home_ != &home) return false;
  withdraw_locked();
  return true;
}

job_state* coroutine_root::share_awaited() noexcept {
  const std::lock_guard lock(mutex_);  // while it waits, its awaiter keeps the job alive
  job_state* const awaited = waiting_ != nullptr ? waiting_->awaited() : nullptr;
  if (awaited != nullptr) awaited->retain();
  return awaited;
}

void coroutine_root::withdraw_locked() noexcept {
  if (waiting_ == nullptr) {
    cancel_pending_ = true;
    return;
  }
  if (waiting_->cancelled_) return;  // the first cancellation is on its way
  if (!waiting_->withdraw()) {
    cancel_pending_ = true;  // this wait ends by itself; the next one is cancelled
    return;
  }
  waiting_->cancelled_ = true;
  home_->post(*this);
}

}  // namespace brigade::detail
