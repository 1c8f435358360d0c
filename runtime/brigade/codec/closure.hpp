// send_closure: lets a callable with captures travel to another process, byte by byte.
//
// It is opt-in because no compiler can check it: what is captured must mean the same in another
// process, so numbers and plain structs of them, no pointers and no references. Passing values as
// arguments of the task is the better way wherever it works.
#pragma once

#include <array>
#include <bit>
#include <concepts>
#include <cstddef>
#include <functional>
#include <type_traits>
#include <utility>

#include <brigade/codec/coder.hpp>

namespace brigade {

template <class F>
class by_value_closure {
  static_assert(std::is_trivially_copyable_v<F>,
                "brigade: send_closure takes only trivially copyable closures: what they capture "
                "must be numbers and plain structs; pass anything else as an argument");

 public:
  explicit by_value_closure(F f) : f_(std::move(f)) {}

  template <class... Args>
  requires std::invocable<F&, Args...>
  decltype(auto) operator()(Args&&... args) { return std::invoke(f_, std::forward<Args>(args)...); }
  template <class... Args>
  requires std::invocable<const F&, Args...>
  decltype(auto) operator()(Args&&... args) const {
    return std::invoke(f_, std::forward<Args>(args)...);
  }

  [[nodiscard]] const F& closure() const noexcept { return f_; }

 private:
  F f_;
};

// `rt.submit(brigade::processes, brigade::send_closure([k](int x) { return k * x; }), 7)`
template <class F>
[[nodiscard]] by_value_closure<std::decay_t<F>> send_closure(F&& f) {
  return by_value_closure<std::decay_t<F>>(std::forward<F>(f));
}

namespace codec {

template <class F>
struct builtin_coder<by_value_closure<F>> {
  using parts = types<>;
  static void write(writer& out, const by_value_closure<F>& value) { out.put(value.closure()); }
  static by_value_closure<F> read(reader& in) {
    using bytes = std::array<std::byte, sizeof(F)>;
    return by_value_closure<F>(std::bit_cast<F>(in.get<bytes>("a closure")));
  }
};

}  // namespace codec
}  // namespace brigade
