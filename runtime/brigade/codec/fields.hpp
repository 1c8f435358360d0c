// The members of a plain aggregate: how many there are and of which types, without a macro.
//
// C++20 has no reflection, so the members are counted by trying initialisers. Where T{} compiles,
// T{{}, {}, ...} tells the number, arrays included, since `{}` never reaches into a member. Where
// a member has no default constructor, values that convert to anything take its place; arrays are
// then refused, because such values fill their elements one by one. A base class or a union gives
// itself away by being the only thing that a base or a union converts to.
#pragma once

#include <cstddef>
#include <type_traits>
#include <utility>

#include <brigade/codec/field_table.hpp>

namespace brigade::codec {

namespace detail {

// Initialisers for unevaluated expressions: what they convert with is never defined.
struct any_value {
  template <class U>
  operator U() const noexcept;
};

struct any_reference {
  template <class U>
  operator U&() const noexcept;
};

template <class T>
struct any_base_of {
  template <class U>
  requires(std::is_base_of_v<U, T> && !std::is_same_v<U, T>) operator U() const noexcept;
};

struct any_union {
  template <class U>
  requires std::is_union_v<U>
  operator U() const noexcept;
};

struct no_value {};  // accepted only by a member that accepts everything

template <std::size_t>
using any_at = any_value;

template <class T, class Before, class... After>
inline constexpr bool any_values = false;
template <class T, std::size_t... I, class... After>
inline constexpr bool any_values<T, std::index_sequence<I...>, After...> = requires {
  T{std::declval<any_at<I>>()..., std::declval<After>()...};
};

template <class T, std::size_t Before, std::size_t Inside, std::size_t After>
consteval bool nested_values() {
  return []<std::size_t... B, std::size_t... I, std::size_t... A>(
      std::index_sequence<B...>, std::index_sequence<I...>, std::index_sequence<A...>) {
    return requires {
      T{std::declval<any_at<B>>()..., {std::declval<any_at<I>>()...}, std::declval<any_at<A>>()...};
    };
  }
  (std::make_index_sequence<Before>{}, std::make_index_sequence<Inside>{},
   std::make_index_sequence<After>{});
}

inline constexpr std::size_t uncountable = static_cast<std::size_t>(-1);

template <class T, std::size_t N = 0>
consteval std::size_t count_by_braces() {
  if constexpr (N > max_fields || !empty_braces<T, N>) {
    return uncountable;
  } else if constexpr (empty_braces<T, N + 1>) {
    return count_by_braces<T, N + 1>();
  } else if constexpr (empty_braces<T, N, any_value> || empty_braces<T, N, any_reference>) {
    return uncountable;  // the next member is there, but cannot be made from nothing
  } else {
    return N;
  }
}

template <class T, std::size_t N = max_fields + 1>
consteval std::size_t count_by_values() {
  if constexpr (N == 0) {
    return uncountable;
  } else if constexpr (any_values<T, std::make_index_sequence<N>>) {
    constexpr bool more =
        N > max_fields || any_values<T, std::make_index_sequence<N>, any_reference>;
    return more ? uncountable : N;
  } else {
    return count_by_values<T, N - 1>();
  }
}

// Whether an array of Size elements begins at value Index of Count: exactly then may Size values
// in braces of their own stand there, with all others after it and not one more.
template <class T, std::size_t Count, std::size_t Index, std::size_t Size = 2>
consteval bool array_begins() {
  if constexpr (Index + Size > Count) {
    return false;
  } else if constexpr (nested_values<T, Index, Size, Count - Index - Size>() &&
                       !nested_values<T, Index, Size, Count - Index - Size + 1>()) {
    return true;
  } else {
    return array_begins<T, Count, Index, Size + 1>();
  }
}

// Whether the first of Count members is a base class, or any of them a union; tried after others
// that are right whatever the member is.
template <class T, std::size_t Count>
consteval bool odd_by_braces() {
  if constexpr (empty_braces<T, 0, any_base_of<T>> && !empty_braces<T, 0, no_value>) {
    return true;
  } else {
    return []<std::size_t... I>(std::index_sequence<I...>) {
      return ((empty_braces<T, I, any_union> && !empty_braces<T, I, no_value>) || ...);
    }
    (std::make_index_sequence<Count>{});
  }
}

template <class T, class Odd, class Before, class After>
inline constexpr bool odd_among_values = false;
template <class T, class Odd, class Before, std::size_t... A>
inline constexpr bool odd_among_values<T, Odd, Before, std::index_sequence<A...>> =
    any_values<T, Before, Odd, any_at<A>...> && !any_values<T, Before, no_value, any_at<A>...>;

template <class T, std::size_t Count>
consteval bool odd_by_values() {
  return []<std::size_t... I>(std::index_sequence<I...>) {
    return odd_among_values<T, any_base_of<T>, std::index_sequence<>,
                            std::make_index_sequence<Count - 1>> ||
           (odd_among_values<T, any_union, std::make_index_sequence<I>,
                             std::make_index_sequence<Count - I - 1>> ||
            ...) ||
           (array_begins<T, Count, I>() || ...);
  }
  (std::make_index_sequence<Count>{});
}

// The number of members, or `uncountable` for what has bases, unions or too many members.
template <class T>
consteval std::size_t count_fields() {
  constexpr std::size_t by_braces = count_by_braces<T>();
  if constexpr (by_braces != uncountable) {
    return odd_by_braces<T, by_braces>() ? uncountable : by_braces;
  } else {
    constexpr std::size_t by_values = count_by_values<T>();
    if constexpr (by_values == uncountable)
      return uncountable;
    else
      return odd_by_values<T, by_values>() ? uncountable : by_values;
  }
}

template <class T>
inline constexpr std::size_t field_count = count_fields<T>();

struct field_types_of {
  template <class Types, class... Fields>
  Types operator()(Types types, const Fields&...) const {
    return types;
  }
};

// types<...> of the members as declared: with const, arrays as arrays.
template <class T>
using field_types = decltype(visit_fields<field_count<T>>(std::declval<T&>(), field_types_of{}));

}  // namespace detail
}  // namespace brigade::codec
