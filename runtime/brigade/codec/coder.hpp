// How one type is encoded and decoded: the customization point `coder<T>`.
// A type of your own, not an aggregate, is taught by a specialisation in namespace brigade::codec,
// visible before the type is first used with the codec:
//   template <> struct coder<money> {
//     static void write(writer& out, const money& value) { write_value(out, value.cents()); }
//     static money read(reader& in) { return money(read_value<std::int64_t>(in)); }
//   };
// Built in: scalars, the standard library's value types and containers, empty function objects and
// plain aggregates (arrays beside bit-fields are beyond C++20). Coders of this room also name the
// `parts` that need coders themselves, and `raw`: any bytes are a value and there is no padding.
#pragma once

#include <concepts>
#include <cstddef>
#include <string_view>
#include <type_traits>
#include <utility>

#include <brigade/codec/fields.hpp>
#include <brigade/codec/reader.hpp>
#include <brigade/codec/writer.hpp>

namespace brigade::codec {

// What this room knows by itself. Specialise `coder`, not this.
template <class T>
struct builtin_coder {};

template <class T>
struct coder;

// Function objects without state, captureless lambdas among them: nothing is sent, the reader
// makes a new one. A lambda with a capture-default, even [&] without captures, is not one.
template <class T>
concept stateless = std::is_class_v<T> && std::is_empty_v<T> && std::is_trivially_copyable_v<T> &&
    std::default_initializable<T>;

// Any pattern of bytes is a value, and values of equal bytes are equal.
template <class T>
inline constexpr bool raw = requires {
  requires coder<T>::raw;
};
template <class T, std::size_t N>
inline constexpr bool raw<T[N]> = raw<T>;

template <class T>
void write_value(writer& out, const T& value) {
  if constexpr (std::is_array_v<T>) {
    for (const auto& element : value)
      write_value(out, element);
  } else {
    coder<T>::write(out, value);
  }
}

template <class T>
[[nodiscard]] std::remove_cv_t<T> read_value(reader& in) {
  return coder<std::remove_cv_t<T>>::read(in);
}

template <class T>
void read_into(reader& in, T& value) {
  if constexpr (std::is_array_v<T>) {
    for (auto& element : value)
      read_into(in, element);
  } else {
    value = coder<T>::read(in);
  }
}

namespace detail {

template <class T>
inline constexpr bool has_builtin = requires {
  typename builtin_coder<T>::parts;
};

template <class T>
consteval bool is_plain_aggregate() {
  if constexpr (std::is_class_v<T> && std::is_aggregate_v<T>) {
    return field_count<T> != uncountable;
  } else {
    return false;
  }
}

struct no_coder {};

template <class T>
struct stateless_coder {
  using parts = types<>;
  static void write(writer&, const T&) {}
  static T read(reader&) { return T{}; }
};

template <class T, class Fields>
struct aggregate_coder;

template <class T, class... Fields>
struct aggregate_coder<T, types<Fields...>> {
  // An array can only be filled in place: then the whole must be made first and filled after.
  static constexpr bool in_place = (std::is_array_v<Fields> || ...);
  static constexpr bool possible =
      !in_place || (std::default_initializable<T> && std::is_move_assignable_v<T>);
  using parts = std::conditional_t<possible, types<Fields...>, types<void>>;

  static constexpr bool raw = std::is_trivially_copyable_v<T> && std::default_initializable<T> &&
                              (codec::raw<std::remove_const_t<Fields>> && ...) &&
                              sizeof(T) == (sizeof(Fields) + ...);

  static void write(writer& out, const T& value) {
    if constexpr (raw) {
      out.put(value);
    } else {
      visit_fields<sizeof...(Fields)>(
          value, [&out](auto, const auto&... field) { (write_value(out, field), ...); });
    }
  }

  static T read(reader& in) {
    if constexpr (raw) {
      return in.get<T>("an aggregate");
    } else if constexpr (in_place) {
      T value{};
      visit_fields<sizeof...(Fields)>(value,
                                      [&in](auto, auto&... field) { (read_into(in, field), ...); });
      return value;
    } else {
      return T{read_value<Fields>(in)...};  // braces: from left to right
    }
  }
};

template <class T>
struct aggregate_coder<T, types<>> : no_coder {};

template <class T>
consteval auto choose_coder() {
  if constexpr (has_builtin<T>) {
    return std::type_identity<builtin_coder<T>>{};
  } else if constexpr (stateless<T>) {
    return std::type_identity<stateless_coder<T>>{};
  } else if constexpr (is_plain_aggregate<T>()) {
    return std::type_identity<aggregate_coder<T, field_types<T>>>{};
  } else {
    return std::type_identity<no_coder>{};
  }
}

}  // namespace detail

template <class T>
struct coder : decltype(detail::choose_coder<T>())::type {};

namespace detail {

// Elements of containers: at least one byte each, see writer::end_element.
template <class T>
void write_element(writer& out, const T& value) {
  const std::size_t start = out.size();
  write_value(out, value);
  out.end_element(start);
}

template <class T>
[[nodiscard]] std::remove_cv_t<T> read_element(reader& in, std::string_view what) {
  const std::size_t start = in.offset();
  std::remove_cv_t<T> value = read_value<T>(in);
  in.end_element(start, what);
  return value;
}

}  // namespace detail
}  // namespace brigade::codec
