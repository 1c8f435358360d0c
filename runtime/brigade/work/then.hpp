// future::then: what to do with the value, on which executor, as a future again.
//
// The continuation is a task of its own: it can be cancelled before it starts, and an error of the
// source passes by without running it. It is never refused for want of room in a queue.
#pragma once

#include <exception>
#include <functional>
#include <optional>
#include <stop_token>
#include <type_traits>
#include <utility>

#include <brigade/work/context.hpp>
#include <brigade/work/future.hpp>
#include <brigade/work/submit.hpp>
#include <brigade/work/watch.hpp>

namespace brigade::detail {

// F applied to the value of a ready source, which is kept for as long as a coroutine may refer to
// it.
template <class F, class R>
class after {
  using value_type = typename state_of<R>::value_type;

  template <class... Token>
  decltype(auto) call(Token&&... token) {
    expect_function(callable_);
    if (again_ && source_->outcome_is_error()) std::rethrow_exception(source_->failure());
    if constexpr (std::is_void_v<R>) {
      source_->take();
      return std::invoke(std::move(callable_), std::forward<Token>(token)...);
    } else {
      if constexpr (std::is_copy_constructible_v<value_type>) {
        if (again_) {
          value_.emplace(source_->value());  // stays for the next attempt
          return std::invoke(std::move(callable_), std::forward<Token>(token)...,
                             std::move(*value_));
        }
      }
      value_.emplace(source_->take());
      return std::invoke(std::move(callable_), std::forward<Token>(token)..., std::move(*value_));
    }
  }
  template <class... Token>
  static constexpr bool callable_with =
      std::conditional_t<std::is_void_v<R>, std::is_invocable<F, Token...>,
                         std::is_invocable<F, Token..., value_type>>::value;

 public:
  // `again`: it may be called more than once, on copies of this.
  after(F callable, job_ref<state_of<R>> source, bool again)
      : callable_(std::move(callable)), source_(std::move(source)), again_(again) {}

  decltype(auto) operator()(std::stop_token token) requires callable_with<std::stop_token> {
    return call(std::move(token));
  }
  decltype(auto) operator()() requires(!callable_with<std::stop_token>) { return call(); }

 private:
  F callable_;
  job_ref<state_of<R>> source_;
  std::optional<value_type> value_;
  bool again_;
};

template <class F, class R>
struct follow_traits {
  using result = typename call_traits<F, R>::result;
  static consteval bool require() { return require_callable<F, R>(); }
};
template <class F>
struct follow_traits<F, void> {
  using result = typename call_traits<F>::result;
  static consteval bool require() { return require_callable<F>(); }
};

// A continuation on processes: the value must be there before the call can be encoded, so this
// outcome relays that of a job which is made then.
template <class F, class R>
class relay final : public hand_state<typename follow_traits<F, R>::result> {
  using result = typename follow_traits<F, R>::result;

 public:
  relay(dispatcher& to, submit_options options, F callable, const job_state& source)
      : hand_state<result>(&to), options_(std::move(options)), callable_(std::move(callable)) {
    this->add_dependency(source);
  }

  void source_ready(state_of<R>& source) noexcept {
    dispatcher& to = *this->owner();
    std::exception_ptr thrown;  // published outside the handler, which holds a reference too
    try {
      if constexpr (std::is_void_v<R>) {
        source.take();
        launch(to);
      } else {
        launch(to, source.take());
      }
    } catch (...) {
      thrown = std::current_exception();
    }
    if (thrown) this->fail(std::move(thrown));
    to.job_settled();  // what hold() counted
  }

  bool cancel() noexcept override {
    job_ref<job_state> running;
    {
      const std::lock_guard lock(mutex_);
      cancelled_ = true;
      running = running_;
    }
    if (running) return running->cancel();
    return this->fail(std::make_exception_ptr(
        task_cancelled("a continuation was cancelled before it started", {})));
  }

 private:
  template <class... Value>
  void launch(dispatcher& to, Value&&... value) {
    auto made = adopt_follower(to, std::forward<Value>(value)...);
    job_ref<state_of<result>> state = job_ref<state_of<result>>::share(*made);
    bool cancelled = false;
    {
      const std::lock_guard lock(mutex_);
      cancelled = cancelled_;
      running_ = job_ref<job_state>::share(*made);
    }
    made->retain();  // the queue's
    to.enqueue_follower(*made);
    if (cancelled) made->cancel();
    when_ready(std::move(state), [self = job_ref<relay>::share(*this)](state_of<result>& ended) {
      if (std::exception_ptr error = ended.take_error()) {
        self->fail(std::move(error));
      } else {
        self->succeed(std::move(ended.value()));
      }
    });
  }

  template <class... Value>
  auto adopt_follower(dispatcher& to, Value&&... value) {
    using job_type = job_for<true, F, Value...>;
    job_ref<job_type> made(
        new job_type(std::in_place, std::move(callable_), std::forward<Value>(value)...));
    made->keep_times();
    to.adopt(*made, executor_kind::processes, options_, true);
    return made;
  }

  std::mutex mutex_;
  bool cancelled_ = false;
  job_ref<job_state> running_;
  submit_options options_;
  F callable_;
};

template <class F, class R>
future<typename follow_traits<F, R>::result> follow_on_processes(dispatcher& to,
                                                                 submit_options options, F callable,
                                                                 job_ref<state_of<R>> source) {
  using result = typename follow_traits<F, R>::result;
  using relay_type = relay<F, R>;
  job_ref<relay_type> made(new relay_type(to, std::move(options), std::move(callable), *source));
  to.hold();
  when_ready(std::move(source), [made](state_of<R>& ended) { made->source_ready(ended); });
  return future_access::make(job_ref<state_of<result>>(made.take()));
}

template <class F, class R>
future<typename follow_traits<F, R>::result> follow_here(dispatcher& to, executor_kind where,
                                                         submit_options options, F callable,
                                                         job_ref<state_of<R>> source) {
  using result = typename follow_traits<F, R>::result;
  using job_type = job<stays_here, after<F, R>>;
  constexpr bool copyable = std::is_copy_constructible_v<typename state_of<R>::value_type>;
  job_ref<job_type> made(
      new job_type(std::in_place, after<F, R>(std::move(callable), source, options.idempotent)));
  made->add_dependency(*source);
  made->keep_times();
  to.adopt(*made, where, options, true);
  if (std::exception_ptr wrong = objection(options, *made, copyable)) {
    made->retain();  // the queue's
    to.give_up(*made, std::move(wrong));
    return future_access::make(job_ref<state_of<result>>(made.take()));
  }
  when_ready(std::move(source), [made](state_of<R>&) {
    made->retain();  // the queue's
    made->owner()->enqueue_follower(*made);
  });
  return future_access::make(job_ref<state_of<result>>(made.take()));
}

}  // namespace brigade::detail

namespace brigade {

template <class R>
template <class Where, class F>
auto future<R>::then(Where where, F&& f) && {
  using callable = detail::stored_t<F>;
  using result = typename detail::follow_traits<callable, R>::result;
  using sent = std::conditional_t<std::is_void_v<R>, bool, R>;
  if constexpr (!detail::follow_traits<callable, R>::require() ||
                detail::refused<Where, result, callable, sent>()) {
    return future<result>();
  } else {
    auto source = detail::future_access::take(std::move(*this));
    detail::dispatcher* living = source->living_owner();
    if (living == nullptr && source->owner() == nullptr) {  // as when_all of nothing
      living = detail::this_thread_context().owner;
    }
    if (living == nullptr) {
      throw runtime_stopped(
          "a continuation was refused: the future has no runtime: its task's has been destroyed, or "
          "it combines no futures; take the value with get() and submit to a living runtime",
          {});
    }
    detail::dispatcher& to = *living;
    submit_options options = detail::options_for(std::move(where));
    const executor_kind kind = options.on.value_or(executor_kind::threads);
    if constexpr (detail::is_flexible<Where>) {
      if (kind == executor_kind::processes) {
        return detail::follow_on_processes<callable, R>(to, std::move(options), std::forward<F>(f),
                                                        std::move(source));
      }
    }
    return detail::follow_here<callable, R>(to, kind, std::move(options), std::forward<F>(f),
                                            std::move(source));
  }
}

}  // namespace brigade
