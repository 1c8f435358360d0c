// co_await room_in(gate): a task waits, without a thread, for a place in an executor's queue.
#pragma once

#include <coroutine>

#include <brigade/base/error.hpp>
#include <brigade/work/coroutine_root.hpp>
#include <brigade/work/gate.hpp>
#include <brigade/work/job_state.hpp>
#include <brigade/work/task.hpp>

namespace brigade::detail {

class room_awaiter final : public wait_node, public gate::waiter {
 public:
  explicit room_awaiter(gate& entrance) noexcept : gate_(&entrance) {
    admit = [](gate::waiter& self) noexcept { static_cast<room_awaiter&>(self).root_->resume(); };
  }

  [[nodiscard]] bool await_ready() const noexcept { return false; }

  template <task_promise Promise>
  bool await_suspend(std::coroutine_handle<Promise> frame) {
    root_ = frame.promise().root;
    return root_->suspend(frame, *this, [this] { return !gate_->enter_or_register(*this); });
  }

  // Afterwards a place is taken. Throws task_cancelled, runtime_stopped.
  void await_resume() {
    root_->end_wait(*this);
    const task_identity task = root_->job().identity();
    if (cancelled()) {
      throw task_cancelled(describe(task) + " was cancelled while it waited for room", task);
    }
    if (gate_->closed()) {
      throw runtime_stopped(describe(task) + " waited for room to submit: the runtime shut down",
                            task);
    }
  }

  bool withdraw() noexcept override { return gate_->withdraw(*this); }

 private:
  gate* gate_;
  coroutine_root* root_ = nullptr;
};

[[nodiscard]] inline room_awaiter room_in(gate& entrance) noexcept {
  return room_awaiter(entrance);
}

}  // namespace brigade::detail
