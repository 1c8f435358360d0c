// A call that can be made in another process: any callable that may travel, with its arguments,
// encoded once, here and now. What it returns is dropped. For what is not a task of a pool: a
// worker's initializer, a preload, the body of a `process`.
//
// Cheap to copy; immutable. Refused at compile time, in one line, for what cannot travel.
#pragma once

#include <concepts>
#include <cstddef>
#include <memory>
#include <span>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <brigade/codec/codec.hpp>
#include <brigade/work/submit.hpp>
#include <brigade/work/transport.hpp>

namespace brigade {

class portable_call {
 public:
  portable_call() noexcept = default;  // none

  // Arguments are decay-copied like those of submit. Throws codec_error, not_transportable.
  template <class F, class... Args>
  requires(!std::same_as<std::remove_cvref_t<F>, portable_call>)
      portable_call(F&& callable, Args&&... args)  // NOLINT: `initializer = f` is meant to work
      : bytes_(encode<detail::stored_t<F>, detail::stored_t<Args>...>(
            detail::stored_t<F>(std::forward<F>(callable)),
            detail::stored_t<Args>(std::forward<Args>(args))...)) {}

  [[nodiscard]] explicit operator bool() const noexcept { return bytes_ != nullptr; }
  // Empty when there is none.
  [[nodiscard]] std::span<const std::byte> bytes() const noexcept {
    return bytes_ != nullptr ? std::span<const std::byte>(*bytes_) : std::span<const std::byte>();
  }

  // Makes a call from its bytes, in whatever process. Throws what the callable throws, codec_error
  // and build_mismatch.
  static void run(std::span<const std::byte> bytes, detail::remote_host& host);

 private:
  using encoded = std::shared_ptr<const std::vector<std::byte>>;

  template <class F, class... Args>
  static encoded encode(const F& callable, const Args&... args) {
    codec::writer out;
    if constexpr (codec::require_transportable<F, Args...>()) {
      detail::write_code_address(out, reinterpret_cast<const void*>(&thunk<F, Args...>));
      codec::write_value(out, callable);
      (codec::write_value(out, args), ...);
    }
    return std::make_shared<const std::vector<std::byte>>(out.take());
  }

  template <class F, class... Args>
  static void thunk(codec::reader& in, codec::writer&, detail::remote_host& host) {
    F callable = codec::read_value<F>(in);
    std::tuple<Args...> arguments{codec::read_value<Args>(in)...};  // braces: from left to right
    in.expect_end();
    host.begin();
    if constexpr (detail::call_traits<F, Args...>::is_coroutine) {
      std::apply(
          [&](Args&... each) {
            (void)detail::drive_in_worker(host, std::move(callable), std::move(each)...);
          },
          arguments);
    } else if constexpr (detail::call_traits<F, Args...>::with_token) {
      (void)detail::call_stored(callable, arguments, host.stop());
    } else {
      (void)detail::call_stored(callable, arguments, {});
    }
  }

  encoded bytes_;
};

}  // namespace brigade
