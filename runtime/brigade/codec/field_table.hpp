// How an aggregate with N members is taken apart. A written-out table, because C++20 cannot bind a
// pack of names. fields.hpp says how it is used; nothing else includes it.
#pragma once

#include <cstddef>

#include <brigade/codec/field_braces.hpp>

namespace brigade::codec {

template <class... Ts>
struct types {};

namespace detail {

// clang-format off

// f(types<...>{}, members...): the declared types, and each member as an lvalue.
template <std::size_t N, class T, class F>
constexpr decltype(auto) visit_fields(T& value, F&& f) {
  static_assert(N <= max_fields);
  if constexpr (N == 0) {
    return f(types<>{});
  } else if constexpr (N == 1) {
    auto& [m0] = value;
    return f(types<decltype(m0)>{},
             m0);
  } else if constexpr (N == 2) {
    auto& [m0, m1] = value;
    return f(types<decltype(m0), decltype(m1)>{},
             m0, m1);
  } else if constexpr (N == 3) {
    auto& [m0, m1, m2] = value;
    return f(types<decltype(m0), decltype(m1), decltype(m2)>{},
             m0, m1, m2);
  } else if constexpr (N == 4) {
    auto& [m0, m1, m2, m3] = value;
    return f(types<decltype(m0), decltype(m1), decltype(m2), decltype(m3)>{},
             m0, m1, m2, m3);
  } else if constexpr (N == 5) {
    auto& [m0, m1, m2, m3, m4] = value;
    return f(types<decltype(m0), decltype(m1), decltype(m2), decltype(m3), decltype(m4)>{},
             m0, m1, m2, m3, m4);
  } else if constexpr (N == 6) {
    auto& [m0, m1, m2, m3, m4, m5] = value;
    return f(types<decltype(m0), decltype(m1), decltype(m2), decltype(m3), decltype(m4),
                   decltype(m5)>{},
             m0, m1, m2, m3, m4, m5);
  } else if constexpr (N == 7) {
    auto& [m0, m1, m2, m3, m4, m5, m6] = value;
    return f(types<decltype(m0), decltype(m1), decltype(m2), decltype(m3), decltype(m4),
                   decltype(m5), decltype(m6)>{},
             m0, m1, m2, m3, m4, m5, m6);
  } else if constexpr (N == 8) {
    auto& [m0, m1, m2, m3, m4, m5, m6, m7] = value;
    return f(types<decltype(m0), decltype(m1), decltype(m2), decltype(m3), decltype(m4),
                   decltype(m5), decltype(m6), decltype(m7)>{},
             m0, m1, m2, m3, m4, m5, m6, m7);
  } else if constexpr (N == 9) {
    auto& [m0, m1, m2, m3, m4, m5, m6, m7, m8] = value;
    return f(types<decltype(m0), decltype(m1), decltype(m2), decltype(m3), decltype(m4),
                   decltype(m5), decltype(m6), decltype(m7), decltype(m8)>{},
             m0, m1, m2, m3, m4, m5, m6, m7, m8);
  } else if constexpr (N == 10) {
    auto& [m0, m1, m2, m3, m4, m5, m6, m7, m8, m9] = value;
    return f(types<decltype(m0), decltype(m1), decltype(m2), decltype(m3), decltype(m4),
                   decltype(m5), decltype(m6), decltype(m7), decltype(m8), decltype(m9)>{},
             m0, m1, m2, m3, m4, m5, m6, m7, m8, m9);
  } else if constexpr (N == 11) {
    auto& [m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10] = value;
    return f(types<decltype(m0), decltype(m1), decltype(m2), decltype(m3), decltype(m4),
                   decltype(m5), decltype(m6), decltype(m7), decltype(m8), decltype(m9),
                   decltype(m10)>{},
             m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10);
  } else if constexpr (N == 12) {
    auto& [m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11] = value;
    return f(types<decltype(m0), decltype(m1), decltype(m2), decltype(m3), decltype(m4),
                   decltype(m5), decltype(m6), decltype(m7), decltype(m8), decltype(m9),
                   decltype(m10), decltype(m11)>{},
             m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11);
  } else if constexpr (N == 13) {
    auto& [m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12] = value;
    return f(types<decltype(m0), decltype(m1), decltype(m2), decltype(m3), decltype(m4),
                   decltype(m5), decltype(m6), decltype(m7), decltype(m8), decltype(m9),
                   decltype(m10), decltype(m11), decltype(m12)>{},
             m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12);
  } else if constexpr (N == 14) {
    auto& [m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13] = value;
    return f(types<decltype(m0), decltype(m1), decltype(m2), decltype(m3), decltype(m4),
                   decltype(m5), decltype(m6), decltype(m7), decltype(m8), decltype(m9),
                   decltype(m10), decltype(m11), decltype(m12), decltype(m13)>{},
             m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13);
  } else if constexpr (N == 15) {
    auto& [m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14] = value;
    return f(types<decltype(m0), decltype(m1), decltype(m2), decltype(m3), decltype(m4),
                   decltype(m5), decltype(m6), decltype(m7), decltype(m8), decltype(m9),
                   decltype(m10), decltype(m11), decltype(m12), decltype(m13), decltype(m14)>{},
             m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14);
  } else if constexpr (N == 16) {
    auto& [m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15] = value;
    return f(types<decltype(m0), decltype(m1), decltype(m2), decltype(m3), decltype(m4),
                   decltype(m5), decltype(m6), decltype(m7), decltype(m8), decltype(m9),
                   decltype(m10), decltype(m11), decltype(m12), decltype(m13), decltype(m14),
                   decltype(m15)>{},
             m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15);
  } else if constexpr (N == 17) {
    auto& [m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15, m16] = value;
    return f(types<decltype(m0), decltype(m1), decltype(m2), decltype(m3), decltype(m4),
                   decltype(m5), decltype(m6), decltype(m7), decltype(m8), decltype(m9),
                   decltype(m10), decltype(m11), decltype(m12), decltype(m13), decltype(m14),
                   decltype(m15), decltype(m16)>{},
             m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15, m16);
  } else if constexpr (N == 18) {
    auto& [m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15, m16, m17] = value;
    return f(types<decltype(m0), decltype(m1), decltype(m2), decltype(m3), decltype(m4),
                   decltype(m5), decltype(m6), decltype(m7), decltype(m8), decltype(m9),
                   decltype(m10), decltype(m11), decltype(m12), decltype(m13), decltype(m14),
                   decltype(m15), decltype(m16), decltype(m17)>{},
             m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15, m16, m17);
  } else if constexpr (N == 19) {
    auto& [m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15, m16, m17, m18] =
           value;
    return f(types<decltype(m0), decltype(m1), decltype(m2), decltype(m3), decltype(m4),
                   decltype(m5), decltype(m6), decltype(m7), decltype(m8), decltype(m9),
                   decltype(m10), decltype(m11), decltype(m12), decltype(m13), decltype(m14),
                   decltype(m15), decltype(m16), decltype(m17), decltype(m18)>{},
             m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15, m16, m17, m18);
  } else if constexpr (N == 20) {
    auto& [m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15, m16, m17, m18,
           m19] = value;
    return f(types<decltype(m0), decltype(m1), decltype(m2), decltype(m3), decltype(m4),
                   decltype(m5), decltype(m6), decltype(m7), decltype(m8), decltype(m9),
                   decltype(m10), decltype(m11), decltype(m12), decltype(m13), decltype(m14),
                   decltype(m15), decltype(m16), decltype(m17), decltype(m18), decltype(m19)>{},
             m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15, m16, m17, m18,
             m19);
  } else if constexpr (N == 21) {
    auto& [m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15, m16, m17, m18,
           m19, m20] = value;
    return f(types<decltype(m0), decltype(m1), decltype(m2), decltype(m3), decltype(m4),
                   decltype(m5), decltype(m6), decltype(m7), decltype(m8), decltype(m9),
                   decltype(m10), decltype(m11), decltype(m12), decltype(m13), decltype(m14),
                   decltype(m15), decltype(m16), decltype(m17), decltype(m18), decltype(m19),
                   decltype(m20)>{},
             m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15, m16, m17, m18,
             m19, m20);
  } else if constexpr (N == 22) {
    auto& [m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15, m16, m17, m18,
           m19, m20, m21] = value;
    return f(types<decltype(m0), decltype(m1), decltype(m2), decltype(m3), decltype(m4),
                   decltype(m5), decltype(m6), decltype(m7), decltype(m8), decltype(m9),
                   decltype(m10), decltype(m11), decltype(m12), decltype(m13), decltype(m14),
                   decltype(m15), decltype(m16), decltype(m17), decltype(m18), decltype(m19),
                   decltype(m20), decltype(m21)>{},
             m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15, m16, m17, m18,
             m19, m20, m21);
  } else if constexpr (N == 23) {
    auto& [m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15, m16, m17, m18,
           m19, m20, m21, m22] = value;
    return f(types<decltype(m0), decltype(m1), decltype(m2), decltype(m3), decltype(m4),
                   decltype(m5), decltype(m6), decltype(m7), decltype(m8), decltype(m9),
                   decltype(m10), decltype(m11), decltype(m12), decltype(m13), decltype(m14),
                   decltype(m15), decltype(m16), decltype(m17), decltype(m18), decltype(m19),
                   decltype(m20), decltype(m21), decltype(m22)>{},
             m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15, m16, m17, m18,
             m19, m20, m21, m22);
  } else if constexpr (N == 24) {
    auto& [m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15, m16, m17, m18,
           m19, m20, m21, m22, m23] = value;
    return f(types<decltype(m0), decltype(m1), decltype(m2), decltype(m3), decltype(m4),
                   decltype(m5), decltype(m6), decltype(m7), decltype(m8), decltype(m9),
                   decltype(m10), decltype(m11), decltype(m12), decltype(m13), decltype(m14),
                   decltype(m15), decltype(m16), decltype(m17), decltype(m18), decltype(m19),
                   decltype(m20), decltype(m21), decltype(m22), decltype(m23)>{},
             m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15, m16, m17, m18,
             m19, m20, m21, m22, m23);
  } else if constexpr (N == 25) {
    auto& [m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15, m16, m17, m18,
           m19, m20, m21, m22, m23, m24] = value;
    return f(types<decltype(m0), decltype(m1), decltype(m2), decltype(m3), decltype(m4),
                   decltype(m5), decltype(m6), decltype(m7), decltype(m8), decltype(m9),
                   decltype(m10), decltype(m11), decltype(m12), decltype(m13), decltype(m14),
                   decltype(m15), decltype(m16), decltype(m17), decltype(m18), decltype(m19),
                   decltype(m20), decltype(m21), decltype(m22), decltype(m23), decltype(m24)>{},
             m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15, m16, m17, m18,
             m19, m20, m21, m22, m23, m24);
  } else if constexpr (N == 26) {
    auto& [m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15, m16, m17, m18,
           m19, m20, m21, m22, m23, m24, m25] = value;
    return f(types<decltype(m0), decltype(m1), decltype(m2), decltype(m3), decltype(m4),
                   decltype(m5), decltype(m6), decltype(m7), decltype(m8), decltype(m9),
                   decltype(m10), decltype(m11), decltype(m12), decltype(m13), decltype(m14),
                   decltype(m15), decltype(m16), decltype(m17), decltype(m18), decltype(m19),
                   decltype(m20), decltype(m21), decltype(m22), decltype(m23), decltype(m24),
                   decltype(m25)>{},
             m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15, m16, m17, m18,
             m19, m20, m21, m22, m23, m24, m25);
  } else if constexpr (N == 27) {
    auto& [m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15, m16, m17, m18,
           m19, m20, m21, m22, m23, m24, m25, m26] = value;
    return f(types<decltype(m0), decltype(m1), decltype(m2), decltype(m3), decltype(m4),
                   decltype(m5), decltype(m6), decltype(m7), decltype(m8), decltype(m9),
                   decltype(m10), decltype(m11), decltype(m12), decltype(m13), decltype(m14),
                   decltype(m15), decltype(m16), decltype(m17), decltype(m18), decltype(m19),
                   decltype(m20), decltype(m21), decltype(m22), decltype(m23), decltype(m24),
                   decltype(m25), decltype(m26)>{},
             m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15, m16, m17, m18,
             m19, m20, m21, m22, m23, m24, m25, m26);
  } else if constexpr (N == 28) {
    auto& [m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15, m16, m17, m18,
           m19, m20, m21, m22, m23, m24, m25, m26, m27] = value;
    return f(types<decltype(m0), decltype(m1), decltype(m2), decltype(m3), decltype(m4),
                   decltype(m5), decltype(m6), decltype(m7), decltype(m8), decltype(m9),
                   decltype(m10), decltype(m11), decltype(m12), decltype(m13), decltype(m14),
                   decltype(m15), decltype(m16), decltype(m17), decltype(m18), decltype(m19),
                   decltype(m20), decltype(m21), decltype(m22), decltype(m23), decltype(m24),
                   decltype(m25), decltype(m26), decltype(m27)>{},
             m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15, m16, m17, m18,
             m19, m20, m21, m22, m23, m24, m25, m26, m27);
  } else if constexpr (N == 29) {
    auto& [m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15, m16, m17, m18,
           m19, m20, m21, m22, m23, m24, m25, m26, m27, m28] = value;
    return f(types<decltype(m0), decltype(m1), decltype(m2), decltype(m3), decltype(m4),
                   decltype(m5), decltype(m6), decltype(m7), decltype(m8), decltype(m9),
                   decltype(m10), decltype(m11), decltype(m12), decltype(m13), decltype(m14),
                   decltype(m15), decltype(m16), decltype(m17), decltype(m18), decltype(m19),
                   decltype(m20), decltype(m21), decltype(m22), decltype(m23), decltype(m24),
                   decltype(m25), decltype(m26), decltype(m27), decltype(m28)>{},
             m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15, m16, m17, m18,
             m19, m20, m21, m22, m23, m24, m25, m26, m27, m28);
  } else if constexpr (N == 30) {
    auto& [m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15, m16, m17, m18,
           m19, m20, m21, m22, m23, m24, m25, m26, m27, m28, m29] = value;
    return f(types<decltype(m0), decltype(m1), decltype(m2), decltype(m3), decltype(m4),
                   decltype(m5), decltype(m6), decltype(m7), decltype(m8), decltype(m9),
                   decltype(m10), decltype(m11), decltype(m12), decltype(m13), decltype(m14),
                   decltype(m15), decltype(m16), decltype(m17), decltype(m18), decltype(m19),
                   decltype(m20), decltype(m21), decltype(m22), decltype(m23), decltype(m24),
                   decltype(m25), decltype(m26), decltype(m27), decltype(m28), decltype(m29)>{},
             m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15, m16, m17, m18,
             m19, m20, m21, m22, m23, m24, m25, m26, m27, m28, m29);
  } else if constexpr (N == 31) {
    auto& [m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15, m16, m17, m18,
           m19, m20, m21, m22, m23, m24, m25, m26, m27, m28, m29, m30] = value;
    return f(types<decltype(m0), decltype(m1), decltype(m2), decltype(m3), decltype(m4),
                   decltype(m5), decltype(m6), decltype(m7), decltype(m8), decltype(m9),
                   decltype(m10), decltype(m11), decltype(m12), decltype(m13), decltype(m14),
                   decltype(m15), decltype(m16), decltype(m17), decltype(m18), decltype(m19),
                   decltype(m20), decltype(m21), decltype(m22), decltype(m23), decltype(m24),
                   decltype(m25), decltype(m26), decltype(m27), decltype(m28), decltype(m29),
                   decltype(m30)>{},
             m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15, m16, m17, m18,
             m19, m20, m21, m22, m23, m24, m25, m26, m27, m28, m29, m30);
  } else if constexpr (N == 32) {
    auto& [m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15, m16, m17, m18,
           m19, m20, m21, m22, m23, m24, m25, m26, m27, m28, m29, m30, m31] = value;
    return f(types<decltype(m0), decltype(m1), decltype(m2), decltype(m3), decltype(m4),
                   decltype(m5), decltype(m6), decltype(m7), decltype(m8), decltype(m9),
                   decltype(m10), decltype(m11), decltype(m12), decltype(m13), decltype(m14),
                   decltype(m15), decltype(m16), decltype(m17), decltype(m18), decltype(m19),
                   decltype(m20), decltype(m21), decltype(m22), decltype(m23), decltype(m24),
                   decltype(m25), decltype(m26), decltype(m27), decltype(m28), decltype(m29),
                   decltype(m30), decltype(m31)>{},
             m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15, m16, m17, m18,
             m19, m20, m21, m22, m23, m24, m25, m26, m27, m28, m29, m30, m31);
  } else if constexpr (N == 33) {
    auto& [m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15, m16, m17, m18,
           m19, m20, m21, m22, m23, m24, m25, m26, m27, m28, m29, m30, m31, m32] = value;
    return f(types<decltype(m0), decltype(m1), decltype(m2), decltype(m3), decltype(m4),
                   decltype(m5), decltype(m6), decltype(m7), decltype(m8), decltype(m9),
                   decltype(m10), decltype(m11), decltype(m12), decltype(m13), decltype(m14),
                   decltype(m15), decltype(m16), decltype(m17), decltype(m18), decltype(m19),
                   decltype(m20), decltype(m21), decltype(m22), decltype(m23), decltype(m24),
                   decltype(m25), decltype(m26), decltype(m27), decltype(m28), decltype(m29),
                   decltype(m30), decltype(m31), decltype(m32)>{},
             m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15, m16, m17, m18,
             m19, m20, m21, m22, m23, m24, m25, m26, m27, m28, m29, m30, m31, m32);
  } else if constexpr (N == 34) {
    auto& [m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15, m16, m17, m18,
           m19, m20, m21, m22, m23, m24, m25, m26, m27, m28, m29, m30, m31, m32, m33] = value;
    return f(types<decltype(m0), decltype(m1), decltype(m2), decltype(m3), decltype(m4),
                   decltype(m5), decltype(m6), decltype(m7), decltype(m8), decltype(m9),
                   decltype(m10), decltype(m11), decltype(m12), decltype(m13), decltype(m14),
                   decltype(m15), decltype(m16), decltype(m17), decltype(m18), decltype(m19),
                   decltype(m20), decltype(m21), decltype(m22), decltype(m23), decltype(m24),
                   decltype(m25), decltype(m26), decltype(m27), decltype(m28), decltype(m29),
                   decltype(m30), decltype(m31), decltype(m32), decltype(m33)>{},
             m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15, m16, m17, m18,
             m19, m20, m21, m22, m23, m24, m25, m26, m27, m28, m29, m30, m31, m32, m33);
  } else if constexpr (N == 35) {
    auto& [m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15, m16, m17, m18,
           m19, m20, m21, m22, m23, m24, m25, m26, m27, m28, m29, m30, m31, m32, m33, m34] = value;
    return f(types<decltype(m0), decltype(m1), decltype(m2), decltype(m3), decltype(m4),
                   decltype(m5), decltype(m6), decltype(m7), decltype(m8), decltype(m9),
                   decltype(m10), decltype(m11), decltype(m12), decltype(m13), decltype(m14),
                   decltype(m15), decltype(m16), decltype(m17), decltype(m18), decltype(m19),
                   decltype(m20), decltype(m21), decltype(m22), decltype(m23), decltype(m24),
                   decltype(m25), decltype(m26), decltype(m27), decltype(m28), decltype(m29),
                   decltype(m30), decltype(m31), decltype(m32), decltype(m33), decltype(m34)>{},
             m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15, m16, m17, m18,
             m19, m20, m21, m22, m23, m24, m25, m26, m27, m28, m29, m30, m31, m32, m33, m34);
  } else if constexpr (N == 36) {
    auto& [m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15, m16, m17, m18,
           m19, m20, m21, m22, m23, m24, m25, m26, m27, m28, m29, m30, m31, m32, m33, m34, m35] =
           value;
    return f(types<decltype(m0), decltype(m1), decltype(m2), decltype(m3), decltype(m4),
                   decltype(m5), decltype(m6), decltype(m7), decltype(m8), decltype(m9),
                   decltype(m10), decltype(m11), decltype(m12), decltype(m13), decltype(m14),
                   decltype(m15), decltype(m16), decltype(m17), decltype(m18), decltype(m19),
                   decltype(m20), decltype(m21), decltype(m22), decltype(m23), decltype(m24),
                   decltype(m25), decltype(m26), decltype(m27), decltype(m28), decltype(m29),
                   decltype(m30), decltype(m31), decltype(m32), decltype(m33), decltype(m34),
                   decltype(m35)>{},
             m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15, m16, m17, m18,
             m19, m20, m21, m22, m23, m24, m25, m26, m27, m28, m29, m30, m31, m32, m33, m34, m35);
  }
}

}  // namespace detail
}  // namespace brigade::codec
