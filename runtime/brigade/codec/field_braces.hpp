// How an aggregate with N members is initialised by empty braces. A written-out table, because
// C++20 cannot expand a pack of `{}`. fields.hpp says how it is used; nothing else includes it.
#pragma once

#include <cstddef>
#include <utility>

namespace brigade::codec::detail {

// clang-format off

inline constexpr std::size_t max_fields = 36;

// `empty_braces<T, N, Tail...>`: whether T{{}, ... N times ..., tail...} compiles. Each `{}` stands
// for exactly one member, whatever its type, also for an array.
template <class T, std::size_t N, class... Tail>
inline constexpr bool empty_braces = false;

template <class T, class... Tail>
inline constexpr bool empty_braces<T, 0, Tail...> = requires { T{std::declval<Tail>()...}; };
template <class T, class... Tail>
inline constexpr bool empty_braces<T, 1, Tail...> = requires { T{{}, std::declval<Tail>()...}; };
template <class T, class... Tail>
inline constexpr bool empty_braces<T, 2, Tail...> =
    requires { T{{}, {}, std::declval<Tail>()...}; };
template <class T, class... Tail>
inline constexpr bool empty_braces<T, 3, Tail...> =
    requires { T{{}, {}, {}, std::declval<Tail>()...}; };
template <class T, class... Tail>
inline constexpr bool empty_braces<T, 4, Tail...> =
    requires { T{{}, {}, {}, {}, std::declval<Tail>()...}; };
template <class T, class... Tail>
inline constexpr bool empty_braces<T, 5, Tail...> =
    requires { T{{}, {}, {}, {}, {}, std::declval<Tail>()...}; };
template <class T, class... Tail>
inline constexpr bool empty_braces<T, 6, Tail...> =
    requires { T{{}, {}, {}, {}, {}, {}, std::declval<Tail>()...}; };
template <class T, class... Tail>
inline constexpr bool empty_braces<T, 7, Tail...> =
    requires { T{{}, {}, {}, {}, {}, {}, {}, std::declval<Tail>()...}; };
template <class T, class... Tail>
inline constexpr bool empty_braces<T, 8, Tail...> =
    requires { T{{}, {}, {}, {}, {}, {}, {}, {}, std::declval<Tail>()...}; };
template <class T, class... Tail>
inline constexpr bool empty_braces<T, 9, Tail...> =
    requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, std::declval<Tail>()...}; };
template <class T, class... Tail>
inline constexpr bool empty_braces<T, 10, Tail...> =
    requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, std::declval<Tail>()...}; };
template <class T, class... Tail>
inline constexpr bool empty_braces<T, 11, Tail...> =
    requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, std::declval<Tail>()...}; };
template <class T, class... Tail>
inline constexpr bool empty_braces<T, 12, Tail...> =
    requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, std::declval<Tail>()...}; };
template <class T, class... Tail>
inline constexpr bool empty_braces<T, 13, Tail...> =
    requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, std::declval<Tail>()...}; };
template <class T, class... Tail>
inline constexpr bool empty_braces<T, 14, Tail...> =
    requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, std::declval<Tail>()...};
                 };
template <class T, class... Tail>
inline constexpr bool empty_braces<T, 15, Tail...> =
    requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {},
                 std::declval<Tail>()...}; };
template <class T, class... Tail>
inline constexpr bool empty_braces<T, 16, Tail...> =
    requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {},
                 std::declval<Tail>()...}; };
template <class T, class... Tail>
inline constexpr bool empty_braces<T, 17, Tail...> =
    requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {},
                 std::declval<Tail>()...}; };
template <class T, class... Tail>
inline constexpr bool empty_braces<T, 18, Tail...> =
    requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {},
                 std::declval<Tail>()...}; };
template <class T, class... Tail>
inline constexpr bool empty_braces<T, 19, Tail...> =
    requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {},
                 std::declval<Tail>()...}; };
template <class T, class... Tail>
inline constexpr bool empty_braces<T, 20, Tail...> =
    requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {},
                 std::declval<Tail>()...}; };
template <class T, class... Tail>
inline constexpr bool empty_braces<T, 21, Tail...> =
    requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {},
                 {}, std::declval<Tail>()...}; };
template <class T, class... Tail>
inline constexpr bool empty_braces<T, 22, Tail...> =
    requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {},
                 {}, {}, std::declval<Tail>()...}; };
template <class T, class... Tail>
inline constexpr bool empty_braces<T, 23, Tail...> =
    requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {},
                 {}, {}, {}, std::declval<Tail>()...}; };
template <class T, class... Tail>
inline constexpr bool empty_braces<T, 24, Tail...> =
    requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {},
                 {}, {}, {}, {}, std::declval<Tail>()...}; };
template <class T, class... Tail>
inline constexpr bool empty_braces<T, 25, Tail...> =
    requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {},
                 {}, {}, {}, {}, {}, std::declval<Tail>()...}; };
template <class T, class... Tail>
inline constexpr bool empty_braces<T, 26, Tail...> =
    requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {},
                 {}, {}, {}, {}, {}, {}, std::declval<Tail>()...}; };
template <class T, class... Tail>
inline constexpr bool empty_braces<T, 27, Tail...> =
    requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {},
                 {}, {}, {}, {}, {}, {}, {}, std::declval<Tail>()...}; };
template <class T, class... Tail>
inline constexpr bool empty_braces<T, 28, Tail...> =
    requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {},
                 {}, {}, {}, {}, {}, {}, {}, {}, std::declval<Tail>()...}; };
template <class T, class... Tail>
inline constexpr bool empty_braces<T, 29, Tail...> =
    requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {},
                 {}, {}, {}, {}, {}, {}, {}, {}, {}, std::declval<Tail>()...}; };
template <class T, class... Tail>
inline constexpr bool empty_braces<T, 30, Tail...> =
    requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {},
                 {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, std::declval<Tail>()...}; };
template <class T, class... Tail>
inline constexpr bool empty_braces<T, 31, Tail...> =
    requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {},
                 {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, std::declval<Tail>()...}; };
template <class T, class... Tail>
inline constexpr bool empty_braces<T, 32, Tail...> =
    requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {},
                 {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, std::declval<Tail>()...}; };
template <class T, class... Tail>
inline constexpr bool empty_braces<T, 33, Tail...> =
    requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {},
                 {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, std::declval<Tail>()...}; };
template <class T, class... Tail>
inline constexpr bool empty_braces<T, 34, Tail...> =
    requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {},
                 {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, std::declval<Tail>()...};
                 };
template <class T, class... Tail>
inline constexpr bool empty_braces<T, 35, Tail...> =
    requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {},
                 {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {},
                 std::declval<Tail>()...}; };
template <class T, class... Tail>
inline constexpr bool empty_braces<T, 36, Tail...> =
    requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {},
                 {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {},
                 std::declval<Tail>()...}; };
template <class T, class... Tail>
inline constexpr bool empty_braces<T, 37, Tail...> =
    requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {},
                 {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {},
                 std::declval<Tail>()...}; };

}  // namespace brigade::codec::detail
