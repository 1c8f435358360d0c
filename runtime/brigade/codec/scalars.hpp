// Coders of numbers, characters, bool, enumerations and std::byte.
//
// bool is checked to be 0 or 1. An enumeration may arrive with any value of its underlying type,
// as a cast could make it: give an enumeration that indexes something a coder that checks.
#pragma once

#include <cfloat>
#include <concepts>
#include <cstddef>
#include <cstring>
#include <type_traits>

#include <brigade/codec/coder.hpp>

namespace brigade::codec {

namespace detail {

template <class T>
concept enum_of_bool = std::is_enum_v<T> && std::same_as < std::underlying_type_t<T>,
bool > ;
template <class T>
concept raw_scalar = std::is_arithmetic_v<T> ||(std::is_enum_v<T> && !enum_of_bool<T>);

}  // namespace detail

template <detail::raw_scalar T>
struct builtin_coder<T> {
  using parts = types<>;
  static constexpr bool raw = true;
  static void write(writer& out, const T& value) { out.put(value); }
  static T read(reader& in) { return in.get<T>("a number"); }
};

template <>
struct builtin_coder<bool> {
  using parts = types<>;
  static void write(writer& out, bool value) { out.put(static_cast<unsigned char>(value)); }
  static bool read(reader& in) {
    const auto byte = in.get<unsigned char>("a bool");
    if (byte > 1) in.fail("a bool", "its byte is neither 0 nor 1");
    return byte == 1;
  }
};

template <detail::enum_of_bool T>
struct builtin_coder<T> {
  using parts = types<>;
  static void write(writer& out, T value) { write_value(out, static_cast<bool>(value)); }
  static T read(reader& in) { return static_cast<T>(read_value<bool>(in)); }
};

// x86 pads its 80 bits; the padding stays here.
template <>
struct builtin_coder<long double> {
  using parts = types<>;
  static constexpr std::size_t used_bytes = LDBL_MANT_DIG == 64 ? 10 : sizeof(long double);
  static void write(writer& out, long double value) { out.put_raw(&value, used_bytes); }
  static long double read(reader& in) {
    long double value = 0;
    in.get_raw(&value, used_bytes, "a number");
    return value;
  }
};

}  // namespace brigade::codec
