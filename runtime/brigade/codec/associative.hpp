// Coders of the ordered and unordered sets and maps.
//
// Comparisons and hashes do not travel, so they must be stateless. A key that comes twice where it
// may not is an error. In unordered_set and unordered_map so is a bucket with more than a thousand
// keys: made-up keys could otherwise keep the reader busy for hours.
#pragma once

#include <concepts>
#include <cstddef>
#include <map>
#include <set>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include <brigade/codec/coder.hpp>
#include <brigade/codec/sequences.hpp>

namespace brigade::codec {
namespace detail {

enum class keys { unique, multiple };

template <class Container>
void write_keyed(writer& out, const Container& container) {
  const writer::level inside(out);
  out.put_size(container.size());
  for (const auto& element : container) {
    const std::size_t start = out.size();
    if constexpr (requires { typename Container::mapped_type; }) {
      write_value(out, element.first);
      write_value(out, element.second);
    } else {
      write_value(out, element);
    }
    out.end_element(start);
  }
}

template <class Container>
void check_bucket(const Container& container, typename Container::const_iterator added,
                  const reader& in, std::string_view what) {
  constexpr std::size_t most = 1000;
  std::size_t bucket = 0;
  if constexpr (requires { typename Container::mapped_type; }) {
    bucket = container.bucket(added->first);
  } else {
    bucket = container.bucket(*added);
  }
  if (container.bucket_size(bucket) > most) {
    in.fail(what, "more than 1000 keys have the same hash, so give the key a better one, or");
  }
}

template <keys Keys, class Container>
[[nodiscard]] Container read_keyed(reader& in, std::string_view what) {
  constexpr bool unordered = requires { typename Container::hasher; };
  const reader::level inside(in, what);
  const std::size_t size = in.get_length(1, what);
  in.charge(size, sizeof(typename Container::value_type) + 5 * pointer_bytes, what);
  Container container;
  if constexpr (unordered) container.reserve(size);
  for (std::size_t i = 0; i < size; ++i) {
    const std::size_t start = in.offset();
    auto key = read_value<typename Container::key_type>(in);
    typename Container::iterator added;
    if constexpr (requires { typename Container::mapped_type; }) {
      auto value = read_value<typename Container::mapped_type>(in);
      added = container.emplace_hint(container.end(), std::move(key), std::move(value));
    } else {
      added = container.emplace_hint(container.end(), std::move(key));
    }
    in.end_element(start, what);
    if constexpr (Keys == keys::unique) {
      if (container.size() != i + 1) in.fail(what, "a key comes twice");
      if constexpr (unordered) check_bucket(container, added, in, what);
    }
  }
  return container;
}

template <keys Keys, class Container, class... Parts>
struct keyed_coder {
  using parts = types<Parts...>;
  static constexpr std::string_view what = sizeof...(Parts) == 2 ? "a map" : "a set";
  static void write(writer& out, const Container& value) { write_keyed(out, value); }
  static Container read(reader& in) { return read_keyed<Keys, Container>(in, what); }
};

}  // namespace detail

template <class K, stateless Less, std::default_initializable A>
struct builtin_coder<std::set<K, Less, A>>
    : detail::keyed_coder<detail::keys::unique, std::set<K, Less, A>, K> {};

template <class K, stateless Less, std::default_initializable A>
struct builtin_coder<std::multiset<K, Less, A>>
    : detail::keyed_coder<detail::keys::multiple, std::multiset<K, Less, A>, K> {};

template <class K, class V, stateless Less, std::default_initializable A>
struct builtin_coder<std::map<K, V, Less, A>>
    : detail::keyed_coder<detail::keys::unique, std::map<K, V, Less, A>, K, V> {};

template <class K, class V, stateless Less, std::default_initializable A>
struct builtin_coder<std::multimap<K, V, Less, A>>
    : detail::keyed_coder<detail::keys::multiple, std::multimap<K, V, Less, A>, K, V> {};

template <class K, stateless Hash, stateless Equal, std::default_initializable A>
struct builtin_coder<std::unordered_set<K, Hash, Equal, A>>
    : detail::keyed_coder<detail::keys::unique, std::unordered_set<K, Hash, Equal, A>, K> {};

template <class K, stateless Hash, stateless Equal, std::default_initializable A>
struct builtin_coder<std::unordered_multiset<K, Hash, Equal, A>>
    : detail::keyed_coder<detail::keys::multiple, std::unordered_multiset<K, Hash, Equal, A>, K> {};

template <class K, class V, stateless Hash, stateless Equal, std::default_initializable A>
struct builtin_coder<std::unordered_map<K, V, Hash, Equal, A>>
    : detail::keyed_coder<detail::keys::unique, std::unordered_map<K, V, Hash, Equal, A>, K, V> {};

template <class K, class V, stateless Hash, stateless Equal, std::default_initializable A>
struct builtin_coder<std::unordered_multimap<K, V, Hash, Equal, A>>
    : detail::keyed_coder<detail::keys::multiple, std::unordered_multimap<K, V, Hash, Equal, A>, K,
                          V> {};

}  // namespace brigade::codec
