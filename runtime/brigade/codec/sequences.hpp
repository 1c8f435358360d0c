// Coders of string, vector, array, deque, list and forward_list.
//
// Elements of which any bytes are a value travel in one copy. All others arrive one by one; their
// number is checked against the input and their memory against the budget before any is made.
// Allocators do not travel: the new container has a default one.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstring>
#include <deque>
#include <forward_list>
#include <iterator>
#include <list>
#include <string>
#include <utility>
#include <vector>

#include <brigade/codec/coder.hpp>
#include <brigade/codec/scalars.hpp>

namespace brigade::codec {
namespace detail {

inline constexpr std::size_t pointer_bytes = sizeof(void*);

// `size` is passed in for forward_list, which has to count.
template <class Sequence>
void write_sequence(writer& out, const Sequence& sequence, std::size_t size) {
  const writer::level inside(out);
  out.put_size(size);
  for (const auto& element : sequence)
    write_element(out, element);
}

// Calls add(element) for each; `overhead` is the memory that an element costs beside itself.
template <class T, class Add>
void read_sequence(reader& in, std::string_view what, std::size_t overhead, Add add) {
  const reader::level inside(in, what);
  const std::size_t size = in.get_length(1, what);
  in.charge(size, sizeof(T) + overhead, what);
  for (std::size_t i = 0; i < size; ++i)
    add(read_element<T>(in, what));
}

// For string and vector of raw elements.
template <class Contiguous>
void write_contiguous(writer& out, const Contiguous& elements) {
  out.put_size(elements.size());
  out.put_raw(elements.data(), elements.size() * sizeof(*elements.data()));
}

// From here on it is worth a system call to make page faults cheaper.
inline constexpr std::size_t large_bytes = std::size_t{1} << 20;

template <class Contiguous>
[[nodiscard]] Contiguous read_contiguous(reader& in, std::string_view what) {
  using T = typename Contiguous::value_type;
  const std::size_t size = in.get_length(sizeof(T), what);
  in.charge(size, sizeof(T), what);
  const auto bytes = in.take(size * sizeof(T), what);
  if constexpr (std::same_as<T, char> || std::same_as<T, unsigned char> ||
                std::same_as<T, std::byte>) {
    const T* const first = reinterpret_cast<const T*>(bytes.data());  // these may alias bytes
    if (bytes.size() < large_bytes) return Contiguous(first, first + size);
    Contiguous elements;
    elements.reserve(size);
    in.about_to_fill(elements.data(), bytes.size());
    elements.insert(elements.end(), first, first + size);
    return elements;
  } else if (bytes.size() >= large_bytes) {
    Contiguous elements;
    elements.reserve(size);
    in.about_to_fill(elements.data(), bytes.size());
    elements.resize(size, T{});
    std::memcpy(elements.data(), bytes.data(), bytes.size());
    return elements;
  } else {
    Contiguous elements(size, T{});
    if (size != 0) std::memcpy(elements.data(), bytes.data(), bytes.size());
    return elements;
  }
}

}  // namespace detail

template <class Char, class Traits, std::default_initializable Allocator>
struct builtin_coder<std::basic_string<Char, Traits, Allocator>> {
  using string = std::basic_string<Char, Traits, Allocator>;
  using parts = std::conditional_t<raw<Char>, types<>, types<void>>;
  static void write(writer& out, const string& value) { detail::write_contiguous(out, value); }
  static string read(reader& in) { return detail::read_contiguous<string>(in, "a string"); }
};

template <class T, std::default_initializable Allocator>
struct builtin_coder<std::vector<T, Allocator>> {
  using vector = std::vector<T, Allocator>;
  using parts = types<T>;

  static void write(writer& out, const vector& value) {
    if constexpr (raw<T>) {
      detail::write_contiguous(out, value);
    } else {
      detail::write_sequence(out, value, value.size());
    }
  }

  static vector read(reader& in) {
    constexpr std::string_view what = "a vector";
    if constexpr (raw<T>) {
      return detail::read_contiguous<vector>(in, what);
    } else {
      const reader::level inside(in, what);
      const std::size_t size = in.get_length(1, what);
      in.charge(size, sizeof(T), what);
      vector value;
      value.reserve(size);
      for (std::size_t i = 0; i < size; ++i)
        value.push_back(detail::read_element<T>(in, what));
      return value;
    }
  }
};

// Eight to a byte.
template <std::default_initializable Allocator>
struct builtin_coder<std::vector<bool, Allocator>> {
  using vector = std::vector<bool, Allocator>;
  using parts = types<>;

  static void write(writer& out, const vector& value) {
    out.put_size(value.size());
    for (std::size_t i = 0; i < value.size(); i += 8) {
      unsigned byte = 0;
      for (std::size_t bit = 0; bit < 8 && i + bit < value.size(); ++bit) {
        byte |= static_cast<unsigned>(value[i + bit]) << bit;
      }
      out.put(static_cast<unsigned char>(byte));
    }
  }

  static vector read(reader& in) {
    constexpr std::string_view what = "a vector of bool";
    const std::size_t start = in.offset();
    const std::size_t size = in.get_size(what);
    if (size / 8 > in.remaining()) in.fail(what, "it is longer than what remains");
    const auto bytes = in.take(size / 8 + (size % 8 != 0), what);
    in.charge(in.offset() - start, 1, what);
    vector value(size);
    for (std::size_t i = 0; i < size; ++i) {
      value[i] = ((std::to_integer<unsigned>(bytes[i / 8]) >> (i % 8)) & 1U) != 0;
    }
    return value;
  }
};

template <class T, std::size_t N>
struct builtin_coder<std::array<T, N>> {
  using array = std::array<T, N>;
  // Elements that cannot be assigned are named one by one in braces: only so many of them.
  static constexpr std::size_t most_in_braces = 256;
  static constexpr bool in_place = std::default_initializable<T> && std::is_move_assignable_v<T>;
  using parts = std::conditional_t<in_place || N <= most_in_braces, types<T>, types<void>>;
  static constexpr bool raw = N != 0 && codec::raw<T> && sizeof(array) == N * sizeof(T);

  static void write(writer& out, const array& value) {
    if constexpr (raw) {
      out.put(value);
    } else {
      for (const T& element : value)
        write_value(out, element);
    }
  }

  static array read(reader& in) {
    if constexpr (raw) {
      return in.get<array>("an array");
    } else if constexpr (in_place) {
      array value{};
      for (T& element : value)
        read_into(in, element);
      return value;
    } else {
      return [&in]<std::size_t... I>(std::index_sequence<I...>) {
        return array{((void)I, read_value<T>(in))...};
      }
      (std::make_index_sequence<N>{});
    }
  }
};

template <class T, std::default_initializable Allocator>
struct builtin_coder<std::deque<T, Allocator>> {
  using parts = types<T>;
  static void write(writer& out, const std::deque<T, Allocator>& value) {
    detail::write_sequence(out, value, value.size());
  }
  static std::deque<T, Allocator> read(reader& in) {
    in.charge(1, 640, "a deque");  // libstdc++ allocates a block for an empty one
    std::deque<T, Allocator> value;
    detail::read_sequence<T>(in, "a deque", 0, [&](T&& t) { value.push_back(std::move(t)); });
    return value;
  }
};

template <class T, std::default_initializable Allocator>
struct builtin_coder<std::list<T, Allocator>> {
  using parts = types<T>;
  static void write(writer& out, const std::list<T, Allocator>& value) {
    detail::write_sequence(out, value, value.size());
  }
  static std::list<T, Allocator> read(reader& in) {
    std::list<T, Allocator> value;
    detail::read_sequence<T>(in, "a list", 3 * detail::pointer_bytes,
                             [&](T&& t) { value.push_back(std::move(t)); });
    return value;
  }
};

template <class T, std::default_initializable Allocator>
struct builtin_coder<std::forward_list<T, Allocator>> {
  using parts = types<T>;
  static void write(writer& out, const std::forward_list<T, Allocator>& value) {
    const auto size = std::distance(value.begin(), value.end());
    detail::write_sequence(out, value, static_cast<std::size_t>(size));
  }
  static std::forward_list<T, Allocator> read(reader& in) {
    std::forward_list<T, Allocator> value;
    auto last = value.before_begin();
    detail::read_sequence<T>(in, "a list", 2 * detail::pointer_bytes,
                             [&](T&& t) { last = value.insert_after(last, std::move(t)); });
    return value;
  }
};

}  // namespace brigade::codec
