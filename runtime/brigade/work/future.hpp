// future<R>: the one handle to a submitted task, the same for every executor.
//
// Move-only, one consumer. Its members may be called from any thread, but not from two at once.
// Dropping it never blocks and does not cancel; a failure that then finds nobody goes to the error
// hook. It may outlive the runtime once the task has ended.
#pragma once

#include <chrono>
#include <coroutine>
#include <cstdint>
#include <future>
#include <optional>
#include <stdexcept>
#include <type_traits>
#include <utility>

#include <brigade/work/coroutine_root.hpp>
#include <brigade/work/job.hpp>
#include <brigade/work/job_state.hpp>

namespace brigade {

// When a task was queued, started and finished (zero when it has not), and by which worker.
struct task_stats {
  std::chrono::steady_clock::time_point queued{};
  std::chrono::steady_clock::time_point started{};
  std::chrono::steady_clock::time_point finished{};
  unsigned worker = 0;
  std::chrono::nanoseconds cpu{};  // only while an observer is registered
};

template <class R>
class future;

namespace detail {

template <class R>
class future_awaiter;

// Makes an Asio completion token start from a future; defined with the reactor.
template <class R>
struct future_completion;

// An empty future was used: std::future_error with no_state, and the cure.
[[noreturn]] void throw_no_future();

// Gives rooms that build on futures the state inside.
struct future_access {
  template <class R>
  static future<R> make(job_ref<state_of<R>> state) noexcept {
    return future<R>(std::move(state));
  }
  template <class R>
  static state_of<R>& state(future<R>& from) {
    return from.checked();
  }
  // The future is empty afterwards and its failure no longer reported.
  template <class R>
  static job_ref<state_of<R>> take(future<R>&& from) {
    from.checked();
    return std::move(from.state_);
  }
};

// A future that has failed already.
template <class R>
future<R> failed_future(dispatcher& owner, std::exception_ptr error) {
  auto* const state = new hand_state<R>(&owner);
  state->fail(std::move(error));
  return future_access::make(job_ref<state_of<R>>(state));
}

}  // namespace detail

template <class R>
class [[nodiscard]] future {
 public:
  using value_type = R;

  future() noexcept = default;
  future(future&& other) noexcept = default;
  future& operator=(future&& other) noexcept {
    future taken(std::move(other));  // which may be this one
    drop();
    state_ = std::move(taken.state_);
    return *this;
  }
  ~future() { drop(); }

  // Whether there is a task behind it: false when default-constructed, moved from or got.
  [[nodiscard]] bool valid() const noexcept { return static_cast<bool>(state_); }
  [[nodiscard]] bool ready() const { return checked().ready(); }

  // Waits, takes the result and leaves the future empty; throws what the task threw, or a member of
  // the error family. On a worker it throws would_deadlock when it could only wait for itself.
  R get() {
    checked().wait();
    const detail::job_ref<detail::state_of<R>> state = std::move(state_);
    return state->take();
  }

  void wait() const { checked().wait(); }

  // Waiting only: the task goes on. For a limit on the task itself see submit_options::deadline.
  template <class Rep, class Period>
  std::future_status wait_for(std::chrono::duration<Rep, Period> limit) const {
    return wait_until(os::after(limit));
  }
  template <class Clock, class Duration>
  std::future_status wait_until(std::chrono::time_point<Clock, Duration> deadline) const {
    if constexpr (std::is_same_v<Clock, std::chrono::steady_clock>) {
      return checked().wait_until(os::at(deadline)) ? std::future_status::ready
                                                    : std::future_status::timeout;
    } else {
      // Another clock may be adjusted while we wait: look again until it says so.
      for (;;) {
        const os::any_time rest = os::any_time(deadline.time_since_epoch()) -
                                  os::any_time(Clock::now().time_since_epoch());
        if (wait_for(rest) == std::future_status::ready) return std::future_status::ready;
        if (rest.count() <= 0) return std::future_status::timeout;
      }
    }
  }

  // A queued task never runs; a running one is asked to stop. Returns whether that had an effect:
  // false when it has ended or takes no stop token and cannot be interrupted.
  bool cancel() { return checked().cancel(); }
  // On processes ends the task by SIGKILL and returns true. Elsewhere as cancel, returns false.
  bool kill() { return checked().kill(); }

  [[nodiscard]] task_stats stats() const {
    const detail::job_times times = checked().times();
    return {times.queued, times.started, times.finished, checked().worker(), checked().cpu_time()};
  }
  [[nodiscard]] std::uint64_t id() const { return checked().id(); }

  // Runs f(value) on `where` once the value is there, and gives its future; an error passes by.
  // `where` is a tag or an executor_kind. Defined in then.hpp.
  template <class Where, class F>
  auto then(Where where, F&& f) &&;
  template <class Where, class F>
  auto then(Where where, F&& f) & {
    static_assert(sizeof(Where) == 0,
                  "brigade: then() takes the future over: write std::move(f).then(...)");
    return std::move(*this).then(std::move(where), std::forward<F>(f));
  }

  // Starts an Asio completion token of signature void(std::exception_ptr, R). Defined in
  // <brigade/reactor/async_wait.hpp>.
  template <class Token>
  auto async_wait(Token&& token) && {
    return detail::future_completion<R>::start(std::move(*this), std::forward<Token>(token));
  }

  // co_await std::move(future), in a task on any executor. Cancelling the task cancels what it
  // waits for.
  detail::future_awaiter<R> operator co_await() && noexcept;
  template <class Self = future>
  detail::future_awaiter<R> operator co_await() & noexcept {
    static_assert(sizeof(Self) == 0,
                  "brigade: co_await takes the future over: write co_await std::move(f)");
    return std::move(*this).operator co_await();
  }

 private:
  friend struct detail::future_access;
  explicit future(detail::job_ref<detail::state_of<R>> state) noexcept
      : state_(std::move(state)) {}

  detail::state_of<R>& checked() const {
    if (!state_) detail::throw_no_future();
    return *state_;
  }
  void drop() noexcept {
    if (state_) state_.take()->abandon();
  }

  detail::job_ref<detail::state_of<R>> state_;
};

namespace detail {

template <class R>
class future_awaiter final : public wait_node, public continuation {
 public:
  explicit future_awaiter(job_ref<state_of<R>> state) noexcept : state_(std::move(state)) {
    notify = [](continuation& self) noexcept {
      static_cast<future_awaiter&>(self).root_->resume();
    };
  }

  [[nodiscard]] bool await_ready() const {
    if (!state_) detail::throw_no_future();
    return state_->ready();
  }

  template <task_promise Promise>
  bool await_suspend(std::coroutine_handle<Promise> frame) {
    root_ = frame.promise().root;
    return root_->suspend(frame, *this, [this] { return state_->set_continuation(*this); });
  }

  R await_resume() {
    if (root_ != nullptr) root_->end_wait(*this);
    if (cancelled()) {
      state_->cancel();
      const task_identity task = root_->job().identity();
      state_.take()->abandon();
      throw task_cancelled(describe(task) + " was cancelled while it waited for a future", task);
    }
    return state_->take();
  }

  bool withdraw() noexcept override { return state_->remove_continuation(*this); }
  [[nodiscard]] job_state* awaited() const noexcept override { return state_.get(); }

 private:
  job_ref<state_of<R>> state_;
  coroutine_root* root_ = nullptr;
};

}  // namespace detail

template <class R>
detail::future_awaiter<R> future<R>::operator co_await() && noexcept {
  return detail::future_awaiter<R>(std::move(state_));
}

}  // namespace brigade
