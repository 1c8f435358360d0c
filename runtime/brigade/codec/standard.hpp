// Coders of the smaller value types of the standard library: durations and points in time, complex
// numbers, bitset, filesystem::path, error_code.
//
// A point in time travels as the number it is: of a steady_clock it makes sense on this machine
// only. complex and path are known by their shape, to spare everybody two expensive headers.
#pragma once

#include <bitset>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <system_error>
#include <type_traits>

#include <brigade/codec/coder.hpp>
#include <brigade/codec/scalars.hpp>
#include <brigade/codec/sequences.hpp>

namespace brigade::codec {

template <class Rep, class Period>
struct builtin_coder<std::chrono::duration<Rep, Period>> {
  using duration = std::chrono::duration<Rep, Period>;
  using parts = types<Rep>;
  static constexpr bool raw = codec::raw<Rep> && sizeof(duration) == sizeof(Rep);
  static void write(writer& out, const duration& value) { write_value(out, value.count()); }
  static duration read(reader& in) { return duration(read_value<Rep>(in)); }
};

template <class Clock, class Duration>
struct builtin_coder<std::chrono::time_point<Clock, Duration>> {
  using time_point = std::chrono::time_point<Clock, Duration>;
  using parts = types<Duration>;
  static constexpr bool raw = codec::raw<Duration> && sizeof(time_point) == sizeof(Duration);
  static void write(writer& out, const time_point& value) {
    write_value(out, value.time_since_epoch());
  }
  static time_point read(reader& in) { return time_point(read_value<Duration>(in)); }
};

namespace detail {

template <class T>
concept complex_number = requires(const T& value, typename T::value_type part) {
  requires std::floating_point<typename T::value_type>;
  requires sizeof(T) == 2 * sizeof(part) && std::is_trivially_copyable_v<T>;
  { value.real() } -> std::same_as<typename T::value_type>;
  { value.imag() } -> std::same_as<typename T::value_type>;
  T(part, part);
};

template <class T>
concept filesystem_path = requires(const T& value, const typename T::string_type& text) {
  { value.native() } -> std::same_as<const typename T::string_type&>;
  { T::preferred_separator } -> std::convertible_to<typename T::value_type>;
  value.lexically_normal();
  T(text);
};

}  // namespace detail

template <detail::complex_number T>
struct builtin_coder<T> {
  using part = typename T::value_type;
  using parts = types<part>;
  static constexpr bool raw = codec::raw<part>;
  static void write(writer& out, const T& value) {
    write_value(out, value.real());
    write_value(out, value.imag());
  }
  static T read(reader& in) {
    const part real = read_value<part>(in);
    const part imaginary = read_value<part>(in);
    return T(real, imaginary);
  }
};

template <detail::filesystem_path T>
struct builtin_coder<T> {
  using parts = types<typename T::string_type>;
  static void write(writer& out, const T& value) { write_value(out, value.native()); }
  static T read(reader& in) { return T(read_value<typename T::string_type>(in)); }
};

template <std::size_t N>
struct builtin_coder<std::bitset<N>> {
  using parts = types<>;

  static void write(writer& out, const std::bitset<N>& value) {
    for (std::size_t i = 0; i < N; i += 8) {
      unsigned byte = 0;
      for (std::size_t bit = 0; bit < 8 && i + bit < N; ++bit) {
        byte |= static_cast<unsigned>(value[i + bit]) << bit;
      }
      out.put(static_cast<unsigned char>(byte));
    }
  }

  static std::bitset<N> read(reader& in) {
    const auto bytes = in.take((N + 7) / 8, "a bitset");
    std::bitset<N> value;
    for (std::size_t i = 0; i < N; ++i) {
      value[i] = ((std::to_integer<unsigned>(bytes[i / 8]) >> (i % 8)) & 1U) != 0;
    }
    return value;
  }
};

// By the name of the category: "generic", "system", "future", "iostream", and those made known
// with register_error_category. Any other is refused, since its numbers mean nothing elsewhere.
template <>
struct builtin_coder<std::error_code> {
  using parts = types<>;
  static void write(writer& out, const std::error_code& value);
  static std::error_code read(reader& in);
};

// Makes codes of `category` travel, also in std::system_error. It must outlive every task, as
// categories do, and be registered on both sides, so before `init`. Thread-safe; doing it again
// is fine, another category of the same name throws std::invalid_argument.
void register_error_category(const std::error_category& category);

// nullptr when no such category is known.
[[nodiscard]] const std::error_category* find_error_category(std::string_view name);

}  // namespace brigade::codec
