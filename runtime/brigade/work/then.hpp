// future::then: what to do with the value, on which executor, as a future again.
//
// The continuation is a task of its own from the call of then() on: its deadlines count from there,
// and it can be cancelled before it starts. An error of the source passes by without running it. It
// is never refused for want of room in a queue.
#pragma once

#include <exception>
#include <functional>
#include <memory>
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
      if constexpr (is_copyable<value_type>) {
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
inline constexpr bool is_copyable<after<F, R>> =
    is_copyable<F> && is_copyable<typename state_of<R>::value_type>;

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

// A callable that a job shares with whoever encodes it, since the job may end meanwhile.
template <class F>
struct shared_callable {
  std::shared_ptr<F> kept;
  template <class... Args>
  requires std::is_invocable_v<F, Args...>
  decltype(auto) operator()(Args&&... args) {
    return std::invoke(std::move(*kept), std::forward<Args>(args)...);
  }
};

// The call of F with the value of the source, as it travels, and what keeps it from that.
template <class F, class R>
struct call_after {
  using travelling = travels<F, R>;
  using obstacle = typename obstacle_of<F, R>::type;
};
template <class F>
struct call_after<F, void> {
  using travelling = travels<F>;
  using obstacle = typename obstacle_of<F>::type;
};

// The Transport of a continuation: that of `Call`, but the arguments come later than the job.
template <class Call>
struct follows {
  static constexpr bool has_cargo = true;
  static constexpr bool repeats = false;  // not here: its cargo does
  static constexpr const std::type_info* obstacle() noexcept { return nullptr; }
  static const remote_call* call() noexcept {
    using traits = typename Call::traits;
    static constexpr remote_call self{&Call::thunk, nullptr, &Call::accept,
                                      traits::with_token || traits::is_coroutine};
    return &self;
  }
};

// A continuation is a job from the beginning, with its options, identity and times. One whose
// options are wrong, or which is late or stopped already, has finished here.
template <class Transport, class F, class R>
auto adopt_follower(dispatcher& to, executor_kind where, submit_options& options, F callable,
                    const job_ref<state_of<R>>& source) {
  using job_type = job<Transport, after<F, R>>;
  constexpr bool copyable = is_copyable<typename state_of<R>::value_type>;
  job_ref<job_type> made(new timed<job_type>(
      std::in_place, after<F, R>(std::move(callable), source, options.idempotent)));
  made->add_dependency(*source);
  to.adopt(*made, where, options, true);
  if (std::exception_ptr wrong = objection(options, *made, copyable)) {
    made->retain();  // the queue's
    to.give_up(*made, std::move(wrong));
  }
  return made;
}

// The source has ended: its value is encoded now, and the job posted.
template <class F, class R>
void send_follower(job_state& job, const std::weak_ptr<F>& known, state_of<R>& source) noexcept {
  dispatcher& to = *job.owner();
  if (std::exception_ptr error = source.take_error()) {
    job.discard(std::move(error));
  } else if (const std::shared_ptr<F> callable = known.lock()) {
    const auto write = [&](codec::writer& out) {
      if constexpr (std::is_void_v<typename call_after<F, R>::obstacle>) {
        expect_function(*callable);
        codec::write_value(out, *callable);
        if constexpr (!std::is_void_v<R>) codec::write_value(out, std::as_const(source.value()));
      }
    };
    if (job.home()->prepare_follower(job, write)) {
      job.retain();  // the queue's
      to.enqueue_follower(job);
    }
  }
  to.job_settled();  // what hold() counted
}

template <class F, class R>
future<typename follow_traits<F, R>::result> follow_on_processes(dispatcher& to,
                                                                 submit_options options, F callable,
                                                                 job_ref<state_of<R>> source) {
  using result = typename follow_traits<F, R>::result;
  using call = call_after<F, R>;
  using transport = std::conditional_t<std::is_void_v<typename call::obstacle>,
                                       follows<typename call::travelling>,
                                       cannot_travel<typename call::obstacle>>;
  auto kept = std::make_shared<F>(std::move(callable));
  const std::weak_ptr<F> known = kept;
  auto made = adopt_follower<transport>(to, executor_kind::processes, options,
                                        shared_callable<F>{std::move(kept)}, source);
  if (made->phase() != job_state::body::finished) {
    to.hold();  // the executor is told of the source's end, also when the job has ended by then
    when_ready(std::move(source),
               [made, known](state_of<R>& ended) { send_follower<F, R>(*made, known, ended); });
  }
  return future_access::make(job_ref<state_of<result>>(made.take()));
}

// Repeats: its options may say that it may run again.
template <bool Repeats, class F, class R>
future<typename follow_traits<F, R>::result> follow_here(dispatcher& to, executor_kind where,
                                                         submit_options options, F callable,
                                                         job_ref<state_of<R>> source) {
  using result = typename follow_traits<F, R>::result;
  using transport = std::conditional_t<Repeats, stays_here, once<stays_here>>;
  auto made = adopt_follower<transport>(to, where, options, std::move(callable), source);
  if (made->phase() != job_state::body::finished) {
    // One that is completed by hand may end in another runtime, and when the job has ended already.
    const bool foreign = source->home() == nullptr;
    if (foreign) to.hold();
    when_ready(std::move(source), [made, foreign](state_of<R>&) {
      dispatcher& owner = *made->owner();
      made->retain();  // the queue's
      owner.enqueue_follower(*made);
      if (foreign) owner.job_settled();  // what hold() counted
    });
  }
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
          "a continuation was refused: the future has no runtime: its task's has been destroyed, "
          "or it combines no futures; take the value with get() and submit to a living runtime",
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
    constexpr bool repeats = !std::is_convertible_v<Where, executor_kind>;
    return detail::follow_here<repeats, callable, R>(to, kind, std::move(options),
                                                     std::forward<F>(f), std::move(source));
  }
}

}  // namespace brigade
