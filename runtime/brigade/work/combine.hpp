// when_all, when_any and gather: several futures as one.
//
// They take the futures over. when_all fails fast: the first error asks the others to stop.
// when_any is decided by the first that ends and asks the others to stop. Both complete only when
// all have ended: nothing runs on behind the caller's back. gather waits for every outcome, stops
// nobody. Cancelling the combined future cancels all that have not ended; kill() kills them, and
// returns true when one of them was ended by force.
#pragma once

#include <atomic>
#include <cstddef>
#include <exception>
#include <optional>
#include <stdexcept>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <brigade/work/future.hpp>
#include <brigade/work/job.hpp>
#include <brigade/work/watch.hpp>

namespace brigade {

// How one task ended: a value or an error. For gather.
template <class T>
class outcome {
 public:
  using value_type = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

  explicit outcome(value_type value) : result_(std::in_place_index<0>, std::move(value)) {}
  // A failure; the tag tells it from a value that is an exception_ptr.
  outcome(std::in_place_index_t<1> /*error*/, std::exception_ptr error)
      : result_(std::in_place_index<1>, std::move(error)) {}

  [[nodiscard]] bool has_value() const noexcept { return result_.index() == 0; }
  explicit operator bool() const noexcept { return has_value(); }
  // Throws the error when there is no value.
  value_type& value() {
    if (!has_value()) std::rethrow_exception(std::get<1>(result_));
    return std::get<0>(result_);
  }
  value_type& operator*() { return value(); }
  // Null when there is a value.
  [[nodiscard]] std::exception_ptr error() const {
    return has_value() ? std::exception_ptr() : std::get<1>(result_);
  }

 private:
  std::variant<value_type, std::exception_ptr> result_;
};

// What when_any yields: which future ended first, and its value.
template <class T>
struct first_of {
  std::size_t index = 0;
  std::conditional_t<std::is_void_v<T>, std::monostate, T> value;
};

namespace detail {

template <class T>
using element_t = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

// Moves the value out of a ready state without an error.
template <class T>
element_t<T> take_element(state_of<T>& state) {
  if constexpr (std::is_void_v<T>) {
    return {};
  } else {
    return std::move(state.value());
  }
}

enum class decided_by : unsigned char { everything, first_error, first_end };

// The common part: counts endings, stops the others, remembers who decided.
template <class Result, class Finish>
class joint final : public hand_state<Result> {
  using value_type = typename hand_state<Result>::value_type;

 public:
  static constexpr std::size_t nobody = static_cast<std::size_t>(-1);

  joint(dispatcher* owner, decided_by rule, Finish finish, std::vector<job_ref<job_state>> parts)
      : hand_state<Result>(owner),
        rule_(rule),
        finish_(std::move(finish)),
        parts_(std::move(parts)),
        left_(parts_.size() + 1) {
    for (const auto& part : parts_) this->add_dependency(*part);
  }

  // Called once, after all parts are watched; with no part it completes at once.
  void begin() noexcept { one_ended(); }

  void part_ended(std::size_t index, const job_state& part) noexcept {
    const bool decides = rule_ == decided_by::first_end ||
                         (rule_ == decided_by::first_error && part.outcome_is_error());
    std::size_t expected = nobody;
    // acq_rel: the last to end reads who decided, see one_ended().
    if (decides && decider_.compare_exchange_strong(expected, index, std::memory_order_acq_rel)) {
      cancel_others(index);
    }
    one_ended();
  }

  bool cancel() noexcept override {
    bool any = false;
    for (const auto& part : parts_) any = part->cancel() || any;
    return any;
  }
  bool kill() noexcept override {
    bool any = false;
    for (const auto& part : parts_) any = part->kill() || any;
    return any;
  }

 private:
  void cancel_others(std::size_t index) noexcept {
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      if (i != index) parts_[i]->cancel();
    }
  }

  void one_ended() noexcept {
    // acq_rel: the last one sees all outcomes and the decider.
    if (left_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    const std::size_t decider = decider_.load(std::memory_order_acquire);
    std::exception_ptr thrown;  // published outside the handler, which holds a reference too
    try {
      if (rule_ != decided_by::everything && decider != nobody) {
        if (std::exception_ptr error = parts_[decider]->take_error()) {
          this->fail(std::move(error));
          return;
        }
      }
      if constexpr (std::is_void_v<Result>) {
        finish_(decider);
        this->succeed({});
      } else {
        this->succeed(finish_(decider));
      }
    } catch (...) {
      thrown = std::current_exception();
    }
    if (thrown) this->fail(std::move(thrown));
  }

  const decided_by rule_;
  Finish finish_;
  const std::vector<job_ref<job_state>> parts_;
  std::atomic<std::size_t> left_;
  std::atomic<std::size_t> decider_{nobody};
};

// `states` are the typed parts, in a vector or a tuple that `finish` has too. `owner` is the
// runtime of all of them; null when nobody knows it but the parts.
template <class Result, class Finish, class... States>
future<Result> join_states(dispatcher* owner, decided_by rule, Finish finish,
                           const std::vector<States>&... vectors) {
  std::vector<job_ref<job_state>> parts;
  (..., [&] {
    for (const auto& state : vectors) parts.push_back(job_ref<job_state>::share(*state));
  }());
  for (const auto& part : parts) {  // those that have ended may have outlived theirs
    if (owner == nullptr) owner = part->living_owner();
  }
  using joint_type = joint<Result, Finish>;
  job_ref<joint_type> made(
      new joint_type(owner, rule, std::move(finish), std::vector<job_ref<job_state>>(parts)));
  for (std::size_t i = 0; i < parts.size(); ++i) {
    when_ready(std::move(parts[i]),
               [made, i](job_state& part) { made->part_ended(i, part); });
  }
  made->begin();
  return future_access::make(job_ref<state_of<Result>>(made.take()));
}

template <class T>
std::vector<job_ref<state_of<T>>> take_states(std::vector<future<T>>&& futures) {
  std::vector<job_ref<state_of<T>>> states;
  states.reserve(futures.size());
  for (future<T>& each : futures) states.push_back(future_access::take(std::move(each)));
  return states;
}

template <class T>
auto all_of(dispatcher* owner, std::vector<job_ref<state_of<T>>> states) {
  using result = std::conditional_t<std::is_void_v<T>, void, std::vector<element_t<T>>>;
  auto finish = [states](std::size_t) -> result {
    if constexpr (!std::is_void_v<T>) {
      result values;
      values.reserve(states.size());
      for (const auto& state : states) values.push_back(take_element(*state));
      return values;
    }
  };
  return join_states<result>(owner, decided_by::first_error, std::move(finish), states);
}

template <class... Ts>
std::vector<job_ref<job_state>> erase_states(const std::tuple<job_ref<state_of<Ts>>...>& states) {
  std::vector<job_ref<job_state>> erased;
  std::apply(
      [&](const auto&... each) { (erased.push_back(job_ref<job_state>::share(*each)), ...); },
      states);
  return erased;
}

template <class... Futures>
consteval void require_moved() {
  static_assert((!std::is_lvalue_reference_v<Futures> && ...),
                "brigade: when_all, when_any and gather take the futures over: write "
                "when_all(std::move(a), std::move(b)), or std::move the vector");
}

}  // namespace detail

// All values in order; void futures yield void for a vector and std::monostate in a tuple.
template <class T>
auto when_all(std::vector<future<T>>&& futures) {
  return detail::all_of(nullptr, detail::take_states(std::move(futures)));
}

template <class... Ts>
  requires(sizeof...(Ts) > 0)
auto when_all(future<Ts>&&... futures) {
  using result = std::tuple<detail::element_t<Ts>...>;
  std::tuple<detail::job_ref<detail::state_of<Ts>>...> states(
      detail::future_access::take(std::move(futures))...);
  auto erased = detail::erase_states<Ts...>(states);
  auto finish = [states](std::size_t) {
    return std::apply(
        [](const auto&... each) { return result(detail::take_element(*each)...); }, states);
  };
  return detail::join_states<result>(nullptr, detail::decided_by::first_error, std::move(finish),
                                     erased);
}

// The first that ends decides, with its value or its error. Throws std::invalid_argument for an
// empty vector, which could never be decided.
template <class T>
auto when_any(std::vector<future<T>>&& futures) {
  using result = first_of<T>;
  if (futures.empty()) {
    throw std::invalid_argument("brigade: when_any of no futures would never be ready");
  }
  auto states = detail::take_states(std::move(futures));
  auto finish = [states](std::size_t decider) {
    return result{decider, detail::take_element(*states[decider])};
  };
  return detail::join_states<result>(nullptr, detail::decided_by::first_end, std::move(finish),
                                     states);
}

// The same for futures of several types: a variant whose index is that of the first to end.
template <class... Ts>
  requires(sizeof...(Ts) > 0)
auto when_any(future<Ts>&&... futures) {
  using result = std::variant<detail::element_t<Ts>...>;
  std::tuple<detail::job_ref<detail::state_of<Ts>>...> states(
      detail::future_access::take(std::move(futures))...);
  auto erased = detail::erase_states<Ts...>(states);
  auto finish = [states](std::size_t decider) {
    std::optional<result> chosen;
    [&]<std::size_t... Is>(std::index_sequence<Is...>) {
      (..., [&] {
        if (Is == decider) {
          chosen.emplace(std::in_place_index<Is>, detail::take_element(*std::get<Is>(states)));
        }
      }());
    }(std::index_sequence_for<Ts...>{});
    return std::move(*chosen);
  };
  return detail::join_states<result>(nullptr, detail::decided_by::first_end, std::move(finish),
                                     erased);
}

// Every outcome, values and errors alike, in order.
template <class T>
auto gather(std::vector<future<T>>&& futures) {
  using result = std::vector<outcome<T>>;
  auto states = detail::take_states(std::move(futures));
  auto finish = [states](std::size_t) {
    result outcomes;
    outcomes.reserve(states.size());
    for (const auto& state : states) {
      if (std::exception_ptr error = state->take_error()) {
        outcomes.emplace_back(std::in_place_index<1>, std::move(error));
      } else {
        outcomes.emplace_back(detail::take_element(*state));
      }
    }
    return outcomes;
  };
  return detail::join_states<result>(nullptr, detail::decided_by::everything, std::move(finish),
                                     states);
}

template <class... Ts>
  requires(sizeof...(Ts) > 0)
auto gather(future<Ts>&&... futures) {
  using result = std::tuple<outcome<Ts>...>;
  std::tuple<detail::job_ref<detail::state_of<Ts>>...> states(
      detail::future_access::take(std::move(futures))...);
  auto erased = detail::erase_states<Ts...>(states);
  auto finish = [states](std::size_t) {
    return std::apply(
        [](const auto&... each) {
          const auto one = []<class T>(detail::state_of<T>& state) {
            std::exception_ptr error = state.take_error();
            return error ? outcome<T>(std::in_place_index<1>, std::move(error))
                         : outcome<T>(detail::take_element(state));
          };
          return result(one(*each)...);
        },
        states);
  };
  return detail::join_states<result>(nullptr, detail::decided_by::everything, std::move(finish),
                                     erased);
}

// The refusal of futures that were not moved, in one line.
template <class... Futures>
  requires(std::is_lvalue_reference_v<Futures> || ...)
auto when_all(Futures&&... futures) {
  detail::require_moved<Futures...>();
  return when_all(std::move(futures)...);
}
template <class... Futures>
  requires(std::is_lvalue_reference_v<Futures> || ...)
auto when_any(Futures&&... futures) {
  detail::require_moved<Futures...>();
  return when_any(std::move(futures)...);
}
template <class... Futures>
  requires(std::is_lvalue_reference_v<Futures> || ...)
auto gather(Futures&&... futures) {
  detail::require_moved<Futures...>();
  return gather(std::move(futures)...);
}

}  // namespace brigade
