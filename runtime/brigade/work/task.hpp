// task<T>: brigade's coroutine type. Lazy, move-only, awaited once.
//
// Write a coroutine that returns task<T> and submit it, or co_await it in another task, which runs
// it on the same executor as part of itself. The task object owns the frame. The stack stays flat
// however many awaits complete at once, in every build (see coroutine_root.hpp). Write one co_await
// per expression: g++ 12 miscompiles some expressions with two.
#pragma once

#include <concepts>
#include <coroutine>
#include <exception>
#include <stdexcept>
#include <type_traits>
#include <utility>
#include <variant>

#include <brigade/memory/blocks.hpp>
#include <brigade/work/coroutine_root.hpp>

namespace brigade {

template <class T = void>
class task;

namespace detail {

// What every frame of a task has: its chain, and who waits for it.
class promise_base : public in_blocks {
 public:
  struct final_awaiter {
    [[nodiscard]] bool await_ready() const noexcept { return false; }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> ended) const noexcept {
      promise_base& promise = ended.promise();
      if (promise.continuation) {
        promise.root->run_next(promise.continuation);
      } else {
        promise.root->finished();
      }
    }
    void await_resume() const noexcept {}
  };

  [[nodiscard]] std::suspend_always initial_suspend() const noexcept { return {}; }
  [[nodiscard]] final_awaiter final_suspend() const noexcept { return {}; }

  coroutine_root* root = nullptr;
  std::coroutine_handle<> continuation;
};

// Whether a coroutine with this promise may await brigade's things.
template <class Promise>
concept task_promise = std::derived_from<Promise, promise_base>;

template <class T>
class task_promise_of final : public promise_base {
 public:
  task<T> get_return_object() noexcept;
  template <class U = T>
  requires std::constructible_from<T, U&&>
  void return_value(U&& value) { result_.template emplace<1>(std::forward<U>(value)); }
  void unhandled_exception() noexcept { result_.template emplace<2>(std::current_exception()); }
  T take() {
    if (result_.index() == 2) std::rethrow_exception(std::get<2>(result_));
    return std::move(std::get<1>(result_));
  }

 private:
  std::variant<std::monostate, T, std::exception_ptr> result_;
};

template <>
class task_promise_of<void> final : public promise_base {
 public:
  task<void> get_return_object() noexcept;
  void return_void() const noexcept {}
  void unhandled_exception() noexcept { error_ = std::current_exception(); }
  void take() const {
    if (error_) std::rethrow_exception(error_);
  }

 private:
  std::exception_ptr error_;
};

}  // namespace detail

template <class T>
class [[nodiscard]] task {
  static_assert(!std::is_reference_v<T>, "a task returns a value, not a reference");

 public:
  using promise_type = detail::task_promise_of<T>;
  using value_type = T;
  using handle_type = std::coroutine_handle<promise_type>;

  task() noexcept = default;
  explicit task(handle_type frame) noexcept : frame_(frame) {}
  task(task&& other) noexcept : frame_(std::exchange(other.frame_, {})) {}
  task& operator=(task&& other) noexcept {
    std::swap(frame_, other.frame_);
    return *this;
  }
  // Destroys the frame; it must not be suspended on a wait (it never is while its job owns it).
  ~task() {
    if (frame_) frame_.destroy();
  }

  [[nodiscard]] explicit operator bool() const noexcept { return static_cast<bool>(frame_); }
  // For executors: the frame, still owned by this object.
  [[nodiscard]] handle_type frame() const noexcept { return frame_; }

  // co_await std::move(child), or co_await child(): runs it here and yields what it returns.
  class awaiter {
   public:
    explicit awaiter(task child) noexcept : child_(std::move(child)) {}
    [[nodiscard]] bool await_ready() const {
      if (!child_) throw std::logic_error("brigade: co_await of an empty task, with no coroutine");
      return false;
    }
    template <detail::task_promise Promise>
    void await_suspend(std::coroutine_handle<Promise> parent) noexcept {
      promise_type& promise = child_.frame_.promise();
      promise.root = parent.promise().root;
      promise.continuation = parent;
      promise.root->run_next(child_.frame_);
    }
    T await_resume() { return child_.frame_.promise().take(); }

   private:
    task child_;
  };
  awaiter operator co_await() && noexcept { return awaiter(std::move(*this)); }

 private:
  handle_type frame_;
};

namespace detail {

template <class T>
task<T> task_promise_of<T>::get_return_object() noexcept {
  return task<T>(std::coroutine_handle<task_promise_of>::from_promise(*this));
}

inline task<void> task_promise_of<void>::get_return_object() noexcept {
  return task<void>(std::coroutine_handle<task_promise_of>::from_promise(*this));
}

}  // namespace detail
}  // namespace brigade
