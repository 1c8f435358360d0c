// What the tasks that map submits do with their elements.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <stop_token>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <brigade/work/callable.hpp>
#include <brigade/work/combine.hpp>
#include <brigade/work/guided.hpp>
#include <brigade/work/submit.hpp>

namespace brigade::detail {

// How F is applied to an element: as the argument, or as a tuple of arguments.
template <bool Star, class F, class T>
struct element_call {
  using traits = call_traits<F, T>;
  static consteval bool require() { return require_callable<F, T>(); }
};
template <class F, class... Parts>
struct element_call<true, F, std::tuple<Parts...>> {
  using traits = call_traits<F, Parts...>;
  static consteval bool require() { return require_callable<F, Parts...>(); }
};
template <class F, class A, class B>
struct element_call<true, F, std::pair<A, B>> {
  using traits = call_traits<F, A, B>;
  static consteval bool require() { return require_callable<F, A, B>(); }
};

// Applies F to every element of a chunk: the task that map submits for plain functions.
template <bool Star, class F, class T>
struct map_chunk {
  using traits = typename element_call<Star, F, T>::traits;
  using result = typename traits::result;
  using results = std::conditional_t<std::is_void_v<result>, void, std::vector<element_t<result>>>;

  using iterator = typename std::vector<T>::iterator;

  template <class... Token>
  static results run(F& callable, iterator begin, iterator end, const Token&... token) {
    const auto one = [&](T& element) -> decltype(auto) {
      if constexpr (Star) {
        return std::apply(
            [&](auto&... parts) -> decltype(auto) {
              return std::invoke(callable, token..., std::move(parts)...);
            },
            element);
      } else {
        return std::invoke(callable, token..., std::move(element));
      }
    };
    // Also of vector<bool>, which has no T to refer to.
    const auto next = [&]() -> decltype(auto) {
      if constexpr (std::is_same_v<T, bool>) {
        bool element = *begin++;
        return static_cast<result>(one(element));
      } else {
        return one(*begin++);
      }
    };
    if constexpr (std::is_void_v<results>) {
      while (begin != end)
        next();
    } else {
      results values;
      values.reserve(static_cast<std::size_t>(end - begin));
      while (begin != end)
        values.push_back(next());
      return values;
    }
  }

  results operator()(std::stop_token token, F callable, std::vector<T> elements) const
      requires(traits::with_token) {
    return run(callable, elements.begin(), elements.end(), token);
  }
  results operator()(F callable, std::vector<T> elements) const requires(!traits::with_token) {
    return run(callable, elements.begin(), elements.end());
  }
};

// What the tasks of a map on threads have in common.
template <bool Star, class F, class T>
struct map_share {
  using results = typename map_chunk<Star, F, T>::results;
  using part = std::conditional_t<std::is_void_v<results>, std::monostate, results>;

  map_share(std::vector<T> all, unsigned workers)
      : elements(std::move(all)), ranges(elements.size(), workers), parts(ranges.size()) {}

  std::vector<T> elements;
  guided_ranges ranges;
  std::vector<part> parts;  // one for each range
};

// Applies F to the elements of the next range: what map submits for plain functions to threads.
template <bool Star, class F, class T>
struct map_range {
  using chunk = map_chunk<Star, F, T>;
  using share = map_share<Star, F, T>;

  template <class... Token>
  static void run(F& callable, share& from, const Token&... token) {
    const std::size_t index = from.ranges.claim();
    const auto [first, last] = from.ranges[index];
    const auto begin = from.elements.begin() + static_cast<std::ptrdiff_t>(first);
    const auto end = from.elements.begin() + static_cast<std::ptrdiff_t>(last);
    if constexpr (std::is_void_v<typename chunk::results>) {
      chunk::run(callable, begin, end, token...);
    } else {
      from.parts[index] = chunk::run(callable, begin, end, token...);
    }
  }

  void operator()(std::stop_token token, F callable, std::shared_ptr<share> from) const
      requires(chunk::traits::with_token) {
    run(callable, *from, token);
  }
  void operator()(F callable, std::shared_ptr<share> from) const
      requires(!chunk::traits::with_token) {
    run(callable, *from);
  }
};

// Applies a coroutine function to one element.
template <bool Star, class F, class T>
struct map_one {
  using returned = typename element_call<Star, F, T>::traits::returned;
  template <class... Token>
  static returned run(F& callable, T& element, const Token&... token) {
    if constexpr (Star) {
      return std::apply(
          [&](auto&... parts) { return std::invoke(callable, token..., std::move(parts)...); },
          element);
    } else {
      return std::invoke(callable, token..., std::move(element));
    }
  }
  // By reference: callable and element live in the job until the coroutine has ended.
  returned operator()(std::stop_token token, F&& callable, T&& element) const
      requires(element_call<Star, F, T>::traits::with_token) {
    return run(callable, element, token);
  }
  returned operator()(F&& callable, T&& element) const
      requires(!element_call<Star, F, T>::traits::with_token) {
    return run(callable, element);
  }
};

}  // namespace brigade::detail
