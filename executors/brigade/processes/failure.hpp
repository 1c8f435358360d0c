// An exception as bytes, for the ways between processes that are no calls.
#pragma once

#include <cstddef>
#include <exception>
#include <span>
#include <vector>

#include <brigade/base/error.hpp>

namespace brigade::detail {

// One that cannot be encoded becomes a codec_error that says so.
[[nodiscard]] std::vector<std::byte> encode_failure(const std::exception_ptr& failure);

// Null when there are no bytes; the codec_error when they are no exception.
[[nodiscard]] std::exception_ptr decode_failure(std::span<const std::byte> bytes,
                                                const task_identity& about) noexcept;

// What f() throws, encoded; empty when it returns.
template <class F>
[[nodiscard]] std::vector<std::byte> failure_of(F f) {
  try {
    f();
    return {};
  } catch (...) {
    return encode_failure(std::current_exception());
  }
}

// what() of it, whatever it is.
[[nodiscard]] std::string text_of(const std::exception_ptr& failure);

}  // namespace brigade::detail
