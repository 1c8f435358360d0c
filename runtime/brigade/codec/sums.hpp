// Coders of pair, tuple, optional and variant.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <tuple>
#include <utility>
#include <variant>

#include <brigade/codec/coder.hpp>
#include <brigade/codec/scalars.hpp>

namespace brigade::codec {

template <class A, class B>
struct builtin_coder<std::pair<A, B>> {
  using parts = types<A, B>;
  static void write(writer& out, const std::pair<A, B>& value) {
    write_value(out, value.first);
    write_value(out, value.second);
  }
  static std::pair<A, B> read(reader& in) {
    return std::pair<A, B>{read_value<A>(in), read_value<B>(in)};
  }
};

template <class... Ts>
struct builtin_coder<std::tuple<Ts...>> {
  using parts = types<Ts...>;
  static void write(writer& out, const std::tuple<Ts...>& value) {
    std::apply([&out](const Ts&... element) { (write_value(out, element), ...); }, value);
  }
  static std::tuple<Ts...> read(reader& in) {
    return std::tuple<Ts...>{read_value<Ts>(in)...};  // braces: from left to right
  }
};

template <>
struct builtin_coder<std::tuple<>> : detail::stateless_coder<std::tuple<>> {};

template <class T>
struct builtin_coder<std::optional<T>> {
  using parts = types<T>;
  static void write(writer& out, const std::optional<T>& value) {
    write_value(out, value.has_value());
    if (value) write_value(out, *value);
  }
  static std::optional<T> read(reader& in) {
    if (!read_value<bool>(in)) return std::nullopt;
    return std::optional<T>(std::in_place, read_value<T>(in));
  }
};

template <class... Ts>
struct builtin_coder<std::variant<Ts...>> {
  using variant = std::variant<Ts...>;
  using parts = types<Ts...>;

  static void write(writer& out, const variant& value) {
    if (value.valueless_by_exception()) {
      out.fail("it is a variant that lost its value to an exception; assign it one");
    }
    out.put_size(value.index());
    std::visit([&out](const auto& held) { write_value(out, held); }, value);
  }

  static variant read(reader& in) {
    const std::size_t index = in.get_size("a variant");
    if (index >= sizeof...(Ts)) in.fail("a variant", "its index names no alternative");
    return read_alternative(in, index, std::index_sequence_for<Ts...>{});
  }

 private:
  template <std::size_t... I>
  static variant read_alternative(reader& in, std::size_t index, std::index_sequence<I...>) {
    using read_function = variant (*)(reader&);
    static constexpr std::array<read_function, sizeof...(Ts)> readers{[](reader& from) {
      return variant(std::in_place_index<I>,
                     read_value<std::variant_alternative_t<I, variant>>(from));
    }...};
    return readers[index](in);
  }
};

}  // namespace brigade::codec
