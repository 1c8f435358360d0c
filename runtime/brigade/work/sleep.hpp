// Waits of a task that need nothing but its executor: sleep_for, sleep_until, yield_now, and moving
// to another executor with resume_on.
//
// To be awaited in a task<T>, on any executor; the worker is given back meanwhile. Cancelling the
// task ends a sleep at once with task_cancelled.
#pragma once

#include <chrono>
#include <coroutine>
#include <string>

#include <brigade/base/error.hpp>
#include <brigade/base/executor_kind.hpp>
#include <brigade/sync/timer_heap.hpp>
#include <brigade/work/coroutine_root.hpp>
#include <brigade/work/dispatcher.hpp>
#include <brigade/work/job_state.hpp>
#include <brigade/work/task.hpp>

namespace brigade {

namespace detail {

class sleep_awaiter final : public wait_node, public timer_node {
 public:
  explicit sleep_awaiter(clock::time_point until) noexcept : until_(until) {
    fire = [](timer_node& self) noexcept { static_cast<sleep_awaiter&>(self).root_->resume(); };
  }

  [[nodiscard]] bool await_ready() const noexcept { return false; }

  template <task_promise Promise>
  bool await_suspend(std::coroutine_handle<Promise> frame) {
    root_ = frame.promise().root;
    return root_->suspend(frame, *this, [this] {
      root_->home().add_timer(*this, until_);
      return true;
    });
  }

  void await_resume() {
    root_->end_wait(*this);
    if (!cancelled()) return;
    const task_identity task = root_->job().identity();
    throw task_cancelled(describe(task) + " was cancelled while it slept", task);
  }

  // It has not moved since it began to wait.
  bool withdraw() noexcept override { return root_->home().cancel_timer(*this); }

 private:
  clock::time_point until_;
  coroutine_root* root_ = nullptr;
};

class yield_awaiter {
 public:
  [[nodiscard]] bool await_ready() const noexcept { return false; }
  template <task_promise Promise>
  void await_suspend(std::coroutine_handle<Promise> frame) const noexcept {
    frame.promise().root->requeue(frame);
  }
  void await_resume() const noexcept {}
};

class move_awaiter {
 public:
  explicit move_awaiter(executor_kind where) noexcept : where_(where) {}

  [[nodiscard]] bool await_ready() const noexcept { return false; }
  template <task_promise Promise>
  void await_suspend(std::coroutine_handle<Promise> frame) const {
    coroutine_root& root = *frame.promise().root;
    if (where_ == executor_kind::processes) {
      const task_identity task = root.job().identity();
      throw not_transportable(describe(task) +
                                  " cannot move to processes: a running coroutine belongs to this "
                                  "process; submit a function there and co_await its future",
                              task);
    }
    root.move_to(root.job().owner()->at(where_), frame);
  }
  void await_resume() const noexcept {}

 private:
  executor_kind where_;
};

}  // namespace detail

// co_await sleep_until(t), sleep_for(d): at least that long, steady clock.
[[nodiscard]] inline detail::sleep_awaiter sleep_until(
    std::chrono::steady_clock::time_point when) noexcept {
  return detail::sleep_awaiter(when);
}
template <class Rep, class Period>
[[nodiscard]] detail::sleep_awaiter sleep_for(std::chrono::duration<Rep, Period> time) noexcept {
  return detail::sleep_awaiter(os::after(time));
}

// co_await yield_now(): lets the other tasks of this executor go first.
[[nodiscard]] inline detail::yield_awaiter yield_now() noexcept { return {}; }

// co_await resume_on(threads): the rest of the task runs on that executor, loop or threads. Throws
// not_transportable for processes.
[[nodiscard]] inline detail::move_awaiter resume_on(executor_kind where) noexcept {
  return detail::move_awaiter(where);
}

}  // namespace brigade
