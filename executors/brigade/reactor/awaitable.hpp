// asio::awaitable<T> as a task: a coroutine function that returns one can be submitted to any
// executor.
//
// It runs through Asio's own machinery, in the place that it was submitted to: on the loop, on the
// workers of the pool (one at a time), or in a worker process. asio::this_coro::executor is that
// place; sockets made with it or with io_context() do their I/O on the runtime's loop. Cancelling
// the task cancels the coroutine by Asio's terminal cancellation. An awaitable whose executor type
// is io_context::executor_type runs on the loop, wherever it was submitted.
#pragma once

#include <coroutine>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

#include <brigade/reactor/guest_strand.hpp>
#include <brigade/reactor/operation.hpp>

#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>

#include <brigade/work/callable.hpp>
#include <brigade/work/task.hpp>

namespace brigade::detail {

template <class T, class Executor>
class guest_operation final : public operation {
  static constexpr bool on_strand = std::is_convertible_v<guest_executor, Executor>;
  static_assert(on_strand || std::is_convertible_v<asio::io_context::executor_type, Executor>,
                "brigade: a task that is an asio::awaitable needs an executor type that the "
                "library can provide: asio::any_io_executor or asio::io_context::executor_type");
  struct nothing {};
  using value_type = std::conditional_t<std::is_void_v<T>, nothing, T>;

 public:
  explicit guest_operation(asio::awaitable<T, Executor> guest) noexcept
      : guest_(std::move(guest)) {}
  ~guest_operation() {
    if (strand_ != nullptr) strand_->release();
  }

  [[nodiscard]] bool await_ready() const noexcept { return false; }

  template <task_promise Promise>
  [[nodiscard]] bool await_suspend(std::coroutine_handle<Promise> frame) {
    coroutine_root& root = *frame.promise().root;
    belong_to(root);
    if constexpr (on_strand) strand_ = new guest_strand(root.job(), root.home(), io());
    if (!suspend(frame)) return false;
    start_in_context();
    return true;
  }

  T await_resume() {
    finish();
    check(error_);
    if constexpr (!std::is_void_v<T>) return std::move(*value_);
  }

  void deliver(std::exception_ptr error) noexcept {
    if (error) error_ = std::move(error);
  }

 private:
  void initiate() override {
    asio::co_spawn(
        place(), [this] { return run(this); }, operation_handler<guest_operation>(*this));
  }

  Executor place() const {
    if constexpr (on_strand) {
      return guest_executor(*strand_);
    } else {
      return io().context().get_executor();
    }
  }

  // Stores the outcome here: Asio would need a default constructor to report a failure, and would
  // keep the exception beyond the task's end.
  static asio::awaitable<void, Executor> run(guest_operation* self) {
    try {
      if constexpr (std::is_void_v<T>) {
        co_await std::move(self->guest_);
      } else {
        T value = co_await std::move(self->guest_);
        self->value_.emplace(std::move(value));
      }
    } catch (...) {
      self->error_ = std::current_exception();
    }
  }

  void enter(work_item& item) noexcept override {
    if constexpr (on_strand) {
      strand_->post(item);
    } else {
      io().post(item);
    }
  }

  asio::awaitable<T, Executor> guest_;
  guest_strand* strand_ = nullptr;
  std::exception_ptr error_;
  std::optional<value_type> value_;
};

template <class T, class Executor>
struct guest_traits<asio::awaitable<T, Executor>> {
  static constexpr bool is_guest = true;
  using value_type = T;

  static task<T> adopt(asio::awaitable<T, Executor> guest) {
    co_return co_await guest_operation<T, Executor>(std::move(guest));
  }
};

}  // namespace brigade::detail
