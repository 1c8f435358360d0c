// future::async_wait(token): a task's outcome for code that speaks Asio.
//
//   asio::awaitable<void> f() { int n = co_await rt.submit(...).async_wait(asio::use_awaitable); }
//
// Signature void(std::exception_ptr, R), or void(std::exception_ptr) when R is void; with an error
// R is default-constructed. The handler is called by its associated executor, or by the runtime's
// loop when it has none. Cancelling through the handler's slot cancels the task and ends the wait
// with task_cancelled. The runtime must be alive when it is called.
#pragma once

#include <exception>
#include <memory>
#include <type_traits>
#include <utility>

#include <brigade/reactor/reactor.hpp>

#include <asio/any_io_executor.hpp>
#include <asio/associated_cancellation_slot.hpp>
#include <asio/associated_executor.hpp>
#include <asio/async_result.hpp>
#include <asio/dispatch.hpp>
#include <asio/execution/context.hpp>
#include <asio/execution_context.hpp>
#include <asio/executor_work_guard.hpp>
#include <asio/post.hpp>
#include <asio/query.hpp>

#include <brigade/base/error.hpp>
#include <brigade/work/dispatcher.hpp>
#include <brigade/work/future.hpp>

namespace asio {
class system_context;
}

namespace brigade::detail {

// What an executor says of its context. Asking one object for it could start the threads of Asio's
// system context, so the type has to do.
template <class Executor>
struct context_of {
  using type = void;
};
template <class Executor>
requires asio::can_query_v<const Executor&, asio::execution::context_t>
struct context_of<Executor> {
  using type = decltype(asio::query(std::declval<const Executor&>(), asio::execution::context));
};

// An executor of no context, of Asio's system context, or that does not say of which (as that of
// use_future in later versions of Asio): made to be dispatched to from wherever an operation
// completes. Posting to it could start threads of Asio's own.
template <class Executor>
constexpr bool completes_anywhere() {
  using context = typename context_of<Executor>::type;
  return std::is_void_v<context> || std::is_same_v<context, asio::system_context&> ||
         (std::is_same_v<context, asio::execution_context&> &&
          !std::is_same_v<Executor, asio::any_io_executor>);
}

// The reactor of the runtime that the task belongs to, of the calling task when it has none.
[[nodiscard]] reactor& reactor_of(const job_state& job);

// One wait: from async_wait until the handler is called. It owns itself.
template <class R, class Handler>
class future_wait final : public continuation {
  using loop_type = asio::io_context::executor_type;
  using associated_type = asio::associated_executor_t<Handler, loop_type>;
  static constexpr bool through_loop = completes_anywhere<associated_type>();
  using executor_type = std::conditional_t<through_loop, loop_type, associated_type>;
  // Of a context that cannot be told by its type: it must not run out of work meanwhile.
  struct no_guard {};
  static constexpr bool guarded =
      through_loop &&
      std::is_same_v<typename context_of<associated_type>::type, asio::execution_context&>;
  using guard_type =
      std::conditional_t<guarded, asio::executor_work_guard<associated_type>, no_guard>;

 public:
  future_wait(job_ref<state_of<R>> state, Handler&& handler)
      : state_(std::move(state)),
        handler_(std::move(handler)),
        work_(choose(handler_, reactor_of(*state_).context().get_executor())),
        guard_(make_guard(handler_, work_.get_executor())) {
    notify = [](continuation& self) noexcept { static_cast<future_wait&>(self).post(false); };
  }

  void start() {
    auto slot = asio::get_associated_cancellation_slot(handler_);
    if (slot.is_connected()) {
      slot.assign([this](asio::cancellation_type_t) {
        if (!state_->remove_continuation(*this)) return;  // it is ending
        state_->cancel();
        post(true);
      });
    }
    try {
      if (!state_->set_continuation(*this)) post(false);
    } catch (...) {
      if (slot.is_connected()) slot.clear();
      throw;
    }
  }

 private:
  static executor_type choose(const Handler& handler, const loop_type& loop) {
    if constexpr (through_loop) {
      return loop;
    } else {
      return asio::get_associated_executor(handler, loop);
    }
  }

  template <class Fallback>
  static guard_type make_guard(const Handler& handler, const Fallback& loop) {
    if constexpr (guarded) {
      return guard_type(asio::get_associated_executor(handler, loop));
    } else {
      return {};
    }
  }

  void post(bool cancelled) noexcept {
    asio::post(work_.get_executor(), [self = std::unique_ptr<future_wait>(this),
                                      cancelled]() mutable {
      if constexpr (through_loop) {
        const auto to = asio::get_associated_executor(self->handler_, self->work_.get_executor());
        asio::dispatch(to, [self = std::move(self), cancelled] { self->complete(cancelled); });
      } else {
        self->complete(cancelled);
      }
    });
  }

  void complete(bool cancelled) {
    auto slot = asio::get_associated_cancellation_slot(handler_);
    if (slot.is_connected()) slot.clear();
    const job_ref<state_of<R>> state = std::move(state_);
    Handler handler(std::move(handler_));
    if (cancelled) {
      const task_identity task = state->identity();
      state->retain();
      state->abandon();
      call(handler, std::make_exception_ptr(task_cancelled(
                        describe(task) + " was cancelled while its outcome was waited for", task)));
    } else if (const std::exception_ptr error = state->failure()) {
      call(handler, error);
    } else if constexpr (std::is_void_v<R>) {
      std::move(handler)(std::exception_ptr());
    } else {
      std::move(handler)(std::exception_ptr(), state->take());
    }
  }

  static void call(Handler& handler, std::exception_ptr error) {
    if constexpr (std::is_void_v<R>) {
      std::move(handler)(std::move(error));
    } else {
      std::move(handler)(std::move(error), R());
    }
  }

  job_ref<state_of<R>> state_;
  Handler handler_;
  asio::executor_work_guard<executor_type> work_;
  [[no_unique_address]] guard_type guard_;
};

template <class R>
struct future_completion {
  static auto signature() {
    if constexpr (std::is_void_v<R>) {
      return std::type_identity<void(std::exception_ptr)>{};
    } else {
      return std::type_identity<void(std::exception_ptr, R)>{};
    }
  }

  struct initiation {
    job_ref<state_of<R>> state;

    template <class Handler>
    void operator()(Handler&& handler) {
      using wait = future_wait<R, std::decay_t<Handler>>;
      auto made = std::make_unique<wait>(std::move(state), std::forward<Handler>(handler));
      made->start();
      made.release();
    }
  };

  template <class Token>
  static auto start(future<R> from, Token&& token) {
    static_assert(std::is_void_v<R> || std::is_default_constructible_v<R>,
                  "brigade: async_wait needs a default-constructible result, for failures");
    return asio::async_initiate<Token, typename decltype(signature())::type>(
        initiation{future_access::take(std::move(from))}, token);
  }
};

}  // namespace brigade::detail
