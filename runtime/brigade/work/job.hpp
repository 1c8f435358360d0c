// The typed half of a task: callable, arguments and result in the job's one allocation.
//
// state_of<R> is what a future sees. job<...> is a call on top of it; both are made by submit.
#pragma once

#include <cstdint>
#include <exception>
#include <limits>
#include <memory>
#include <new>
#include <optional>
#include <stop_token>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

#include <brigade/os/clock.hpp>
#include <brigade/work/callable.hpp>
#include <brigade/work/coroutine_root.hpp>
#include <brigade/work/dispatcher.hpp>
#include <brigade/work/job_state.hpp>
#include <brigade/work/task.hpp>

namespace brigade::detail {

struct nothing {};

// The outcome of a task that yields R.
template <class R>
class state_of : public job_state {
 public:
  using value_type = std::conditional_t<std::is_void_v<R>, nothing, R>;

  ~state_of() noexcept override {}  // noexcept also for an R that put_value() refuses

  [[nodiscard]] std::exception_ptr failure() const noexcept override {
    const std::exception_ptr* const error = std::get_if<2>(&outcome_value_);
    return error != nullptr ? *error : nullptr;
  }

  // Takes the value out, or throws the error. Once. Precondition: ready().
  R take() {
    if (std::exception_ptr error = take_error()) std::rethrow_exception(std::move(error));
    if constexpr (!std::is_void_v<R>) return std::move(std::get<1>(outcome_value_));
  }

  // Moves the error out, null when there is none. The outcome counts as an error as before, but the
  // exception now lives and dies with the caller: its reference count, inside the C++ runtime
  // library where no sanitizer can see it, is not shared with the thread that ends the body.
  [[nodiscard]] std::exception_ptr take_error() noexcept override {
    std::exception_ptr* const error = std::get_if<2>(&outcome_value_);
    return error != nullptr ? std::exchange(*error, nullptr) : nullptr;
  }

  // The value of a ready outcome without an error; it stays in place.
  [[nodiscard]] value_type& value() noexcept { return *std::get_if<1>(&outcome_value_); }

  // Stores the value in a claimed outcome; what its move constructor throws becomes the outcome.
  void put_value(value_type&& value) noexcept {
    static_assert(std::is_nothrow_destructible_v<value_type>,
                  "brigade: the destructor of a result may not throw: nobody could catch it");
    try {
      outcome_value_.template emplace<1>(std::move(value));
    } catch (...) {
      put_error(std::current_exception());
    }
  }

  // claim, store, publish. Returns whether this call decided the outcome.
  bool succeed(value_type&& value) noexcept {
    if (!claim_outcome()) return false;
    put_value(std::move(value));
    publish();
    return true;
  }

 protected:
  void store_error(std::exception_ptr error) noexcept override {
    outcome_value_.template emplace<2>(std::move(error));
    note_error();
  }

 private:
  // By number, since R may be any of the three types itself.
  std::variant<std::monostate, value_type, std::exception_ptr> outcome_value_;
};

// An outcome that is completed by hand: combinators, forwarded results. It has no body.
template <class R>
class hand_state : public state_of<R> {
 public:
  // `owner` is alive, or null.
  explicit hand_state(dispatcher* owner) {
    if (owner == nullptr) return;
    this->attach(*owner);
    this->keep_hooks();  // it may complete, with an error, after that runtime has gone
  }
  void drop_payload() noexcept override {}
  bool cancel() noexcept override { return false; }
  bool kill() noexcept override {
    cancel();
    return false;
  }

 protected:
  void invoke() noexcept override {}
};

// A call that does not travel. For calls that do, see transport.hpp.
struct stays_here {
  static constexpr bool has_cargo = false;
  static constexpr bool repeats = true;  // the arguments are copied for a task that may run again
  static constexpr const remote_call* call() noexcept { return nullptr; }
  static constexpr const std::type_info* obstacle() noexcept { return nullptr; }
};
// One that cannot, where the executor is chosen at run time.
template <class Refused>
struct cannot_travel : stays_here {
  static const std::type_info* obstacle() noexcept { return &typeid(Refused); }
};
// The same for a task that runs once, whose arguments need not be copyable.
template <class Transport>
struct once : Transport {
  static constexpr bool repeats = false;
};

template <class Transport, class F, class... Args>
class job : public state_of<typename call_traits<F, Args...>::result> {
  using traits = call_traits<F, Args...>;
  using result = typename traits::result;
  using base = state_of<result>;
  using value_type = typename base::value_type;
  using arguments = std::tuple<Args...>;

 public:
  static constexpr bool copyable = Transport::repeats && (is_copyable<Args> && ...);

  template <class G, class... As>
  explicit job(std::in_place_t, G&& callable, As&&... args) {
    ::new (&payload_.value)
        payload_type{F(std::forward<G>(callable)), arguments(std::forward<As>(args)...)};
  }
  ~job() override {
    if (!this->payload_dropped_) job::drop_payload();
  }

  [[nodiscard]] const remote_call* remote() const noexcept override { return Transport::call(); }
  [[nodiscard]] std::unique_ptr<cargo>* cargo_slot() noexcept override {
    if constexpr (Transport::has_cargo) {
      return &cargo_;
    } else {
      return nullptr;
    }
  }
  [[nodiscard]] const std::type_info* obstacle() const noexcept override {
    return Transport::obstacle();
  }
  [[nodiscard]] bool takes_stop() const noexcept override {
    return traits::with_token || traits::is_coroutine;
  }
  [[nodiscard]] coroutine_root* root() noexcept override {
    if constexpr (traits::is_coroutine) {
      return &coroutine_.root;
    } else {
      return nullptr;
    }
  }

  void drop_payload() noexcept override {
    this->payload_dropped_ = true;
    if constexpr (Transport::has_cargo) cargo_.reset();
    payload_.value.~payload_type();
  }

  // For transport: what is to be encoded. Precondition: the payload has not been dropped.
  [[nodiscard]] const F& callable() const noexcept { return payload_.value.callable; }
  [[nodiscard]] const arguments& stored_arguments() const noexcept { return payload_.value.stored; }

  void root_finished() noexcept override {
    if constexpr (traits::is_coroutine) {
      bool decided = false;
      bool again = false;
      try {
        auto frame = std::move(coroutine_.frame);  // destroyed before the outcome is published
        if constexpr (std::is_void_v<result>) {
          frame.frame().promise().take();
          decided = this->claim_by_body();
          if (decided) this->put_value({});
        } else {
          value_type value = frame.frame().promise().take();
          decided = this->claim_by_body();
          if (decided) this->put_value(std::move(value));
        }
      } catch (...) {
        again = !decided && this->take_attempt();
        if (!again) decided = this->decide_error(std::current_exception());
      }
      if (again) {
        // Through the queue: it may have moved elsewhere, and the stack must not grow with
        // attempts.
        if (make_coroutine()) coroutine_.root.move_to(*this->home(), coroutine_.frame.frame());
      } else {
        this->finish(decided);
      }
    }
  }

 protected:
  void invoke() noexcept override {
    if constexpr (traits::is_coroutine) {
      start_coroutine();
    } else {
      const bool observed = this->owner()->observed();
      const auto before = observed ? os::thread_cpu_time() : std::chrono::nanoseconds{};
      const bool decided = call();
      if (observed) this->add_cpu_time(os::thread_cpu_time() - before);
      this->finish(decided);
    }
  }

  bool request_stop() noexcept override {
    if constexpr (traits::with_token) stop_.request_stop();
    if constexpr (traits::is_coroutine) coroutine_.root.cancel();
    return traits::with_token || traits::is_coroutine;
  }

 private:
  struct payload_type {
    F callable;
    [[no_unique_address]] arguments stored;
  };
  union payload_slot {
    payload_slot() noexcept {}
    ~payload_slot() {}
    payload_type value;
  };
  struct no_cargo {};
  struct no_coroutine {};
  // Of an idempotent task: what this attempt has, and a coroutine refers to.
  struct copied {
    std::unique_ptr<arguments> stored;
    std::unique_ptr<F> callable;
  };
  struct coroutine_part {
    coroutine_root root;
    task<result> frame;
    copied copies;
  };

  [[nodiscard]] std::stop_token token() const noexcept {
    if constexpr (traits::with_token) {
      return stop_.get_token();
    } else {
      return {};
    }
  }

  [[nodiscard]] bool keeps_arguments() noexcept {
    return this->extras() != nullptr && this->extras()->idempotent;
  }

  // Calls with moved arguments, or when the task may run again with copies of them, and of a
  // callable that can be copied: it may consume itself.
  decltype(auto) call_once([[maybe_unused]] copied& copies) {
    if constexpr (copyable) {
      if (keeps_arguments()) {
        copies.stored = std::make_unique<arguments>(payload_.value.stored);
        if constexpr (is_copyable<F>) {
          copies.callable = std::make_unique<F>(payload_.value.callable);
          return call_stored(*copies.callable, *copies.stored, token());
        } else {
          return call_stored(payload_.value.callable, *copies.stored, token());
        }
      }
    }
    return call_stored(payload_.value.callable, payload_.value.stored, token());
  }

  // Returns whether this call decided the outcome.
  bool call() noexcept {
    for (;;) {
      try {
        copied copies;
        if constexpr (std::is_void_v<result>) {
          call_once(copies);
          const bool decided = this->claim_by_body();
          if (decided) this->put_value({});
          return decided;
        } else {
          value_type value = call_once(copies);
          const bool decided = this->claim_by_body();
          if (decided) this->put_value(std::move(value));
          return decided;
        }
      } catch (...) {
        if (!this->take_attempt()) return this->decide_error(std::current_exception());
      }
    }
  }

  // Returns false when that failed and the job is finished.
  bool make_coroutine() noexcept {
    bool decided = false;
    bool again = true;
    while (std::exchange(again, false)) {
      try {
        coroutine_.frame = as_task(call_once(coroutine_.copies));
        if (!coroutine_.frame) {
          throw std::logic_error("brigade: the callable returned an empty task, with no coroutine");
        }
      } catch (...) {
        again = this->take_attempt();
        if (!again) decided = this->decide_error(std::current_exception());
      }
    }
    if (!coroutine_.frame) {
      this->finish(decided);
      return false;
    }
    coroutine_.frame.frame().promise().root = &coroutine_.root;
    return true;
  }

  void start_coroutine() noexcept {
    if (make_coroutine()) {
      coroutine_.root.start(*this, *this->home(), coroutine_.frame.frame());
    }
  }

  payload_slot payload_;
  [[no_unique_address]] std::conditional_t<Transport::has_cargo, std::unique_ptr<cargo>, no_cargo>
      cargo_;
  [[no_unique_address]] std::conditional_t<traits::with_token, std::stop_source, nothing> stop_;
  [[no_unique_address]] std::conditional_t<traits::is_coroutine, coroutine_part, no_coroutine>
      coroutine_;
};

// A job about which somebody may ask when it was queued, started and finished: one with a future,
// with options, or in a runtime that has observers. Without them a job is a cache line smaller.
template <class Job>
class timed final : public Job {
 public:
  template <class... As>
  explicit timed(std::in_place_t tag, As&&... args) : Job(tag, std::forward<As>(args)...) {
    static_assert(sizeof(timed) <= std::numeric_limits<std::uint32_t>::max());
    this->keep_times_in(clocks_);
  }

 private:
  job_clocks clocks_;
};

}  // namespace brigade::detail
