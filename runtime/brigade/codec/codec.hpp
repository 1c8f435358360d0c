// Values to bytes and back: `encode` and `decode`, with everything they know. See coder.hpp for
// teaching a type, transportable.hpp for what may travel, reader.hpp for what decoding promises.
#pragma once

#include <cstddef>
#include <span>
#include <type_traits>
#include <vector>

#include <brigade/codec/limits.hpp>
#include <brigade/codec/reader.hpp>
#include <brigade/codec/transportable.hpp>
#include <brigade/codec/writer.hpp>

namespace brigade::codec {

// Throws codec_error.
template <class T>
void encode(writer& out, const T& value) {
  if constexpr (require_transportable<T>()) write_value(out, value);
}

// Throws codec_error; may be followed by others, so the end of the input is not checked.
template <class T>
[[nodiscard]] T decode(reader& in) {
  if constexpr (require_transportable<T>()) {
    return read_value<T>(in);
  } else {
    in.fail("a value", "its type cannot travel");
  }
}

// One value, one message.
template <class T>
[[nodiscard]] std::vector<std::byte> to_bytes(const T& value, limits bounds = {}) {
  writer out(bounds);
  encode(out, value);
  return out.take();
}

template <class T>
[[nodiscard]] T from_bytes(std::span<const std::byte> bytes, limits bounds = {}) {
  reader in(bytes, bounds);
  T value = decode<T>(in);
  in.expect_end();
  return value;
}

}  // namespace brigade::codec
