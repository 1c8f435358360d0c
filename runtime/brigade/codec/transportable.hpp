// What may travel to another process, as a concept, and how it is refused in one line.
//
// transportable<T> holds for what coder<T> can encode and decode, down to the last part; it never
// makes a program ill-formed by itself. False for pointers, references, views, std::function,
// mutexes, closures with captures, classes with private members and no coder, and whatever holds
// one. Specialise coder<T> before T is first asked about: the answer is remembered.
//
// The one-line refusal. A function that takes a tag puts this at its door:
//   if constexpr (codec::require_transportable<F, Args...>()) { ... encode ... }
// When one of the types cannot travel, the compiler prints one `error:` line with the fixed text
// below and names the type in its notes; the value is then false, so that the branch disappears
// and causes no errors of its own. Let the branch not taken return something of the right type.
// Where executors are chosen at run time, test transportable<...> with `if constexpr` instead and
// report not_transportable_text.
#pragma once

#include <concepts>
#include <string_view>
#include <type_traits>

#include <brigade/codec/associative.hpp>
#include <brigade/codec/closure.hpp>
#include <brigade/codec/coder.hpp>
#include <brigade/codec/scalars.hpp>
#include <brigade/codec/sequences.hpp>
#include <brigade/codec/standard.hpp>
#include <brigade/codec/sums.hpp>

namespace brigade::codec {
namespace detail {

template <class T, class... Seen>
consteval bool travels();

template <class... Seen, class... Parts>
consteval bool parts_travel(types<Parts...>) {
  return (travels<std::remove_const_t<Parts>, Seen...>() && ...);
}

template <class T>
concept with_own_coder = requires(writer& out, reader& in, const T& value) {
  coder<T>::write(out, value);
  { coder<T>::read(in) } -> std::same_as<T>;
};

// `Seen` are the aggregates around T: one that contains itself, as trees do, is judged by the rest.
template <class T, class... Seen>
consteval bool travels() {
  if constexpr (std::is_bounded_array_v<T>) {
    return travels<std::remove_const_t<std::remove_all_extents_t<T>>, Seen...>();
  } else if constexpr (!std::is_object_v<T> || std::is_array_v<T> || std::is_volatile_v<T>) {
    return false;
  } else if constexpr ((std::same_as<T, Seen> || ...)) {
    return true;
  } else if constexpr (!requires { sizeof(T); }) {
    return false;
  } else if constexpr (requires { typename coder<T>::parts; }) {
    if constexpr (has_builtin<T>) {
      return parts_travel<Seen...>(typename coder<T>::parts{});
    } else {
      return parts_travel<T, Seen...>(typename coder<T>::parts{});
    }
  } else {
    return with_own_coder<T>;
  }
}

template <class T>
inline constexpr bool can_travel = !std::is_array_v<T> && travels<T>();

}  // namespace detail

template <class T>
concept transportable = detail::can_travel<std::remove_const_t<T>>;

// The text of the refusal, at compile time and of the error not_transportable.
inline constexpr std::string_view not_transportable_text =
    "brigade: this callable, argument or result cannot travel to a process: it, or a part of it, "
    "is or holds a pointer, reference, view (string_view, span, const char*), unique_ptr, "
    "std::function, mutex or lambda capture, or is a class with private members, constructors or "
    "bases; pass captured values as arguments, use std::string, containers or a plain aggregate, "
    "specialise brigade::codec::coder for it, include <brigade/codec/cereal.hpp> when it has "
    "serialize(), or wrap a trivially copyable closure in brigade::send_closure";

// Empty when T can travel.
template <class T>
[[nodiscard]] constexpr std::string_view why_not_transportable() {
  return transportable<T> ? std::string_view{} : not_transportable_text;
}

// The first of the types that cannot travel; void when all can.
template <class... Ts>
struct first_refused {
  using type = void;
};
template <class T, class... Rest>
struct first_refused<T, Rest...>
    : std::conditional_t<transportable<T>, first_refused<Rest...>, std::type_identity<T>> {};

namespace detail {

// The same text as not_transportable_text: static_assert takes a literal only.
template <class Type>
consteval bool cannot_travel_to_a_process() {
  static_assert(
      can_travel<Type>,
      "brigade: this callable, argument or result cannot travel to a process: it, or a part of it, "
      "is or holds a pointer, reference, view (string_view, span, const char*), unique_ptr, "
      "std::function, mutex or lambda capture, or is a class with private members, constructors or "
      "bases; pass captured values as arguments, use std::string, containers or a plain aggregate, "
      "specialise brigade::codec::coder for it, include <brigade/codec/cereal.hpp> when it has "
      "serialize(), or wrap a trivially copyable closure in brigade::send_closure");
  return false;
}

template <class T, class... Rest>
consteval bool refuse_first() {
  if constexpr (transportable<T>) {
    return refuse_first<Rest...>();
  } else {
    return cannot_travel_to_a_process<T>();
  }
}

}  // namespace detail

// Whether all can travel. Where not, it does not compile: one error, for the first that cannot.
template <class... Ts>
consteval bool require_transportable() {
  if constexpr ((transportable<Ts> && ...)) {
    return true;
  } else {
    return detail::refuse_first<Ts...>();
  }
}

}  // namespace brigade::codec
