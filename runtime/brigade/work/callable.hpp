// What a submission makes of a callable and its arguments: the types that are stored, how they are
// invoked, and what the future holds.
#pragma once

#include <concepts>
#include <cstddef>
#include <functional>
#include <stop_token>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

#include <brigade/work/task.hpp>

namespace brigade::detail {

// Arguments are stored decayed; character arrays become strings, so that a call that names a
// string literal still works when its executor changes to processes.
template <class T>
struct stored_of {
  using type = std::decay_t<T>;
};
template <std::size_t N>
struct stored_of<const char (&)[N]> {
  using type = std::string;
};
template <std::size_t N>
struct stored_of<char (&)[N]> {
  using type = std::string;
};
template <class T>
using stored_t = typename stored_of<T>::type;

// As std::is_copy_constructible, which containers and lambdas of what cannot be copied only claim
// to be. Of lambdas nobody can know.
template <class T>
inline constexpr bool is_copyable = std::is_copy_constructible_v<T>;
template <class T>
  requires requires { typename T::value_type; } && (!std::same_as<typename T::value_type, T>)
inline constexpr bool is_copyable<T> =
    std::is_copy_constructible_v<T> && is_copyable<typename T::value_type>;

// Coroutines of other libraries that can be run as a task. Specialised for each by the room that
// knows the library: `using value_type`, `static task<value_type> adopt(Guest)`.
template <class Guest>
struct guest_traits {
  static constexpr bool is_guest = false;
};

template <class T>
inline constexpr bool is_task = false;
template <class T>
inline constexpr bool is_task<task<T>> = true;

// What a function says that it returns: the result of a call that is refused, so that the refusal
// stays the only error.
template <class F>
struct declared_result {
  using type = void;
};
template <class R, class... Parameters>
struct declared_result<R (*)(Parameters...)> {
  using type = R;
};

// How a call of F with Args behaves; a std::stop_token goes first to whoever takes one.
template <class F, class... Args>
struct call_traits {
  static constexpr bool with_token = std::is_invocable_v<F, std::stop_token, Args...>;
  static constexpr bool without_token = std::is_invocable_v<F, Args...>;
  static constexpr bool callable = with_token || without_token;

  static auto probe() {
    if constexpr (with_token) {
      return std::type_identity<std::invoke_result_t<F, std::stop_token, Args...>>{};
    } else if constexpr (without_token) {
      return std::type_identity<std::invoke_result_t<F, Args...>>{};
    } else {
      return std::type_identity<typename declared_result<F>::type>{};
    }
  }
  using returned = typename decltype(probe())::type;
  static constexpr bool returns_task = is_task<returned>;
  static constexpr bool returns_guest = guest_traits<returned>::is_guest;
  static constexpr bool is_coroutine = returns_task || returns_guest;

  static auto probe_result() {
    if constexpr (returns_task) {
      return std::type_identity<typename returned::value_type>{};
    } else if constexpr (returns_guest) {
      return std::type_identity<typename guest_traits<returned>::value_type>{};
    } else {
      return std::type_identity<std::decay_t<returned>>{};
    }
  }
  // What the future yields.
  using result = typename decltype(probe_result())::type;
};

template <class F, class... Args>
consteval bool cannot_be_called() {
  static_assert(
      call_traits<F, Args...>::callable,
      "brigade: the callable cannot be called with these arguments: they are copied and passed as "
      "rvalues, string literals as std::string, and default arguments are not filled in; for a "
      "parameter T& pass std::ref(x) (never to processes, which share no memory: return the "
      "value); of a coroutine pass the function and its arguments, not its task");
  return false;
}

// Whether F can be called with Args as they are stored. Where not, it does not compile: one error,
// if the caller then leaves the call out. At the doors, not in call_traits, which overload
// resolution looks at.
template <class F, class... Args>
consteval bool require_callable() {
  if constexpr (call_traits<F, Args...>::callable) {
    return true;
  } else {
    return cannot_be_called<F, Args...>();
  }
}

// Thrown for a null function pointer, on every executor, as for an empty std::function.
class null_function final : public std::bad_function_call {
 public:
  [[nodiscard]] const char* what() const noexcept override {
    return "brigade: the task's function pointer is null; pass a function";
  }
};

template <class F>
bool is_null_function(const F& callable) noexcept {
  if constexpr (std::is_pointer_v<F> || std::is_member_pointer_v<F>) {
    return callable == nullptr;
  } else {
    return false;
  }
}
template <class F>
void expect_function(const F& callable) {
  if (is_null_function(callable)) throw null_function();
}

// Calls a stored callable with stored arguments, which are moved from but stay where they are:
// a coroutine may refer to them until it ends.
template <class F, class... Args>
decltype(auto) call_stored(F& callable, std::tuple<Args...>& arguments,
                           [[maybe_unused]] const std::stop_token& token) {
  expect_function(callable);
  return std::apply(
      [&](Args&... each) -> decltype(auto) {
        if constexpr (call_traits<F, Args...>::with_token) {
          return std::invoke(std::move(callable), token, std::move(each)...);
        } else {
          return std::invoke(std::move(callable), std::move(each)...);
        }
      },
      arguments);
}

// Turns what a coroutine function returned into a task.
template <class Returned>
auto as_task(Returned returned) {
  if constexpr (is_task<Returned>) {
    return returned;
  } else {
    return guest_traits<Returned>::adopt(std::move(returned));
  }
}

}  // namespace brigade::detail
