// use_task: the completion token that makes any Asio operation awaitable in a brigade::task, on any
// executor.
//
//   std::size_t n = co_await socket.async_read_some(asio::buffer(data), brigade::use_task);
//
// The operation runs on the event loop of the task's runtime, started there whatever thread asks;
// the coroutine resumes on its own executor. An error code that comes first is thrown as
// std::system_error, an exception_ptr that comes first is rethrown; of what follows nothing becomes
// void, one value that value, several a tuple. Cancelling the task cancels the operation, and the
// co_await throws task_cancelled. Wrapped in asio::redirect_error or as_tuple it throws nothing of
// that: the code is yours, and the next wait of a cancelled task throws task_cancelled.
#pragma once

#include <cstddef>
#include <coroutine>
#include <exception>
#include <optional>
#include <system_error>
#include <tuple>
#include <type_traits>
#include <utility>

#include <brigade/reactor/operation.hpp>

#include <asio/any_io_executor.hpp>
#include <asio/associated_executor.hpp>
#include <asio/async_result.hpp>

#include <brigade/work/task.hpp>

namespace asio {
template <typename CompletionToken>
class redirect_error_t;  // of <asio/redirect_error.hpp>
}

namespace brigade {

struct use_task_t {};
inline constexpr use_task_t use_task{};

namespace detail {

// What of an operation's results is an error, and what co_await yields.
template <class... Results>
struct results_of {
  static constexpr bool has_error = false;
  using values = std::tuple<std::decay_t<Results>...>;
};
template <class... Results>
struct results_of<std::error_code, Results...> {
  static constexpr bool has_error = true;
  using error = std::error_code;
  using values = std::tuple<std::decay_t<Results>...>;
};
template <class... Results>
struct results_of<std::exception_ptr, Results...> {
  static constexpr bool has_error = true;
  using error = std::exception_ptr;
  using values = std::tuple<std::decay_t<Results>...>;
};

template <class Signature, class Initiation, class... Args>
class use_task_operation;

// The awaiter: holds the operation until it is awaited, once, and its results.
template <class... Results, class Initiation, class... Args>
class [[nodiscard]] use_task_operation<void(Results...), Initiation, Args...> final
    : public operation {
  using results = results_of<std::decay_t<Results>...>;
  using values = typename results::values;
  static constexpr std::size_t value_count = std::tuple_size_v<values>;

 public:
  // With `redirected`, an error code goes there instead of being thrown.
  template <class I, class... As>
  explicit use_task_operation(std::error_code* redirected, I&& initiation, As&&... args)
      : redirected_(redirected),
        initiation_(std::forward<I>(initiation)),
        args_(std::forward<As>(args)...) {}

  [[nodiscard]] bool await_ready() const noexcept { return false; }

  template <task_promise Promise>
  [[nodiscard]] bool await_suspend(std::coroutine_handle<Promise> frame) {
    belong_to(*frame.promise().root);
    if (!suspend(frame)) return false;
    if (io().on_loop()) return start();
    start_in_context();
    return true;
  }

  auto await_resume() {
    finish();
    if constexpr (results::has_error) check_error();
    if constexpr (value_count == 1) {
      return std::get<0>(std::move(*values_));
    } else if constexpr (value_count > 1) {
      return std::move(*values_);
    }
  }

  template <class... Delivered>
  void deliver(Delivered&&... delivered) {
    if constexpr (results::has_error) {
      deliver_with_error(std::forward<Delivered>(delivered)...);
    } else {
      values_.emplace(std::forward<Delivered>(delivered)...);
    }
  }

 private:
  void check_error() {
    if constexpr (std::is_same_v<typename results::error, std::error_code>) {
      if (redirected_ != nullptr) {
        *redirected_ = error_;
        return;
      }
    }
    check(error_);
  }

  struct no_error {};
  template <class Each, class = void>
  struct error_type {
    using type = no_error;
  };
  template <class Each>
  struct error_type<Each, std::void_t<typename Each::error>> {
    using type = typename Each::error;
  };

  template <class Error, class... Delivered>
  void deliver_with_error(Error&& error, Delivered&&... delivered) {
    error_ = std::forward<Error>(error);
    values_.emplace(std::forward<Delivered>(delivered)...);
  }

  void initiate() override {
    std::apply(
        [this](Args&... each) {
          std::move(initiation_)(operation_handler<use_task_operation>(*this), std::move(each)...);
        },
        args_);
  }
  void enter(work_item& item) noexcept override { io().post(item); }

  std::error_code* redirected_;
  Initiation initiation_;
  std::tuple<Args...> args_;
  [[no_unique_address]] typename error_type<results>::type error_;
  std::optional<values> values_;
};

}  // namespace detail
}  // namespace brigade

// Completions come to the loop's thread, whatever context the operation's object belongs to. When
// that context is the loop's own, Asio sees that the executors are equal and calls directly.
template <class Signature, class Initiation, class... Args, class Executor>
struct asio::associated_executor<
    brigade::detail::operation_handler<
        brigade::detail::use_task_operation<Signature, Initiation, Args...>>,
    Executor> {
  using type = std::conditional_t<std::is_same_v<Executor, asio::any_io_executor>,
                                  asio::any_io_executor, asio::io_context::executor_type>;

  static type get(const brigade::detail::operation_handler<
                      brigade::detail::use_task_operation<Signature, Initiation, Args...>>& handler,
                  const Executor& /*candidate*/ = Executor()) noexcept {
    return handler.io().context().get_executor();
  }
};

template <class Signature>
class asio::async_result<brigade::use_task_t, Signature> {
 public:
  template <class Initiation, class... Args>
  static auto initiate(Initiation&& initiation, brigade::use_task_t, Args&&... args) {
    return brigade::detail::use_task_operation<Signature, std::decay_t<Initiation>,
                                               std::decay_t<Args>...>(
        nullptr, std::forward<Initiation>(initiation), std::forward<Args>(args)...);
  }
};

// Asio's own redirect_error wants one return type for all operations of a signature.
template <class Signature>
class asio::async_result<asio::redirect_error_t<brigade::use_task_t>, Signature> {
 public:
  template <class Initiation, class Token, class... Args>
  static auto initiate(Initiation&& initiation, Token&& token, Args&&... args) {
    return brigade::detail::use_task_operation<Signature, std::decay_t<Initiation>,
                                               std::decay_t<Args>...>(
        &token.ec_, std::forward<Initiation>(initiation), std::forward<Args>(args)...);
  }
};
