// map and its kin: one function over many elements, on one executor.
//
//   map            all results in order; blocks
//   map_async      the same as a future
//   starmap        elements are tuples, whose parts are the arguments
//   imap           a lazy range of results in order, at most `window` elements in flight
//   imap_unordered the same in the order in which they end, as completed<R>
// Plain functions are sent in chunks (of `.chunk`, or as guided.hpp says to threads whose queue has
// room for that, and in equal ones elsewhere), coroutines one task each. A failure stops the rest
// and is thrown. Elements are moved from an rvalue container, and copied from all else: an lvalue
// and a view, whose elements are somebody else's.
//
// When the range or submit throws, what was submitted before is cancelled. map and starmap return
// no earlier than it has ended; from the _async ones the exception comes at once.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <deque>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <ranges>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <brigade/work/as_completed.hpp>
#include <brigade/work/combine.hpp>
#include <brigade/work/map_task.hpp>
#include <brigade/work/pull_iterator.hpp>
#include <brigade/work/submit.hpp>

namespace brigade::detail {

template <class Range>
using range_value = std::iter_value_t<decltype(std::begin(std::declval<Range&>()))>;

// Whether nobody else will look at the elements of what was passed as Range&&.
template <class Range>
inline constexpr bool owns_elements = !std::is_lvalue_reference_v<Range> &&
                                      !std::ranges::view<std::remove_cvref_t<Range>> &&
                                      !std::ranges::borrowed_range<Range>;

enum class waits : bool { no, yes };

// The parts of a map, which `submit` puts into a vector one after the other.
template <class R, class Submit>
std::vector<job_ref<state_of<R>>> submit_parts(waits blocks, const Submit& submit) {
  std::vector<future<R>> parts;
  try {
    submit(parts);
  } catch (...) {
    for (future<R>& part : parts)
      part.cancel();
    if (blocks == waits::no) throw;
    for (const future<R>& part : parts) {
      try {
        part.wait();
      } catch (const would_deadlock&) {  // this worker cannot wait for it
      }
    }
    throw;
  }
  return take_states(std::move(parts));
}

// The end of a map that blocks. When it may not wait here, its tasks are cancelled.
template <class R>
R get_all(future<R> all) {
  try {
    return all.get();
  } catch (...) {
    if (all.valid()) all.cancel();
    throw;
  }
}

[[nodiscard]] inline submit_options options_from(executor_kind where, const map_options& from) {
  submit_options options;
  options.on = where;
  options.name = from.name;
  options.deadline = from.deadline;
  options.priority = from.priority;
  options.stop = from.stop;
  return options;
}

// About four chunks a worker: enough to even out, few enough to be cheap.
[[nodiscard]] inline std::size_t chunk_size(std::size_t wanted, std::size_t count,
                                            unsigned workers) {
  if (wanted != 0) return wanted;
  const std::size_t chunks = std::size_t{4} * std::max(1U, workers);
  return std::max<std::size_t>(1, (count + chunks - 1) / chunks);
}

// Submits the elements in chunks of `chunk` and joins the results.
template <bool Star, class Where, class F, class T>
auto map_chunks(dispatcher& to, Where where, F callable, std::vector<T> elements,
                const map_options& options, waits blocks) {
  using chunk_type = map_chunk<Star, F, T>;
  using results = typename chunk_type::results;
  const executor_kind kind = where;
  const std::size_t count = elements.size();
  const std::size_t chunk = chunk_size(options.chunk, count, to.at(kind).worker_count());
  const auto states = submit_parts<results>(blocks, [&](std::vector<future<results>>& parts) {
    for (std::size_t begin = 0; begin < count; begin += chunk) {
      const auto first =
          std::make_move_iterator(elements.begin() + static_cast<std::ptrdiff_t>(begin));
      const auto size = static_cast<std::ptrdiff_t>(std::min(chunk, count - begin));
      parts.push_back(submit_to<is_flexible<Where>>(to, kind, options_from(kind, options),
                                                    chunk_type{}, callable,
                                                    std::vector<T>(first, first + size)));
    }
  });
  auto finish = [states, count](std::size_t) -> results {
    static_cast<void>(count);  // not needed for void
    if constexpr (!std::is_void_v<results>) {
      results values;
      values.reserve(count);
      for (const auto& state : states) {
        auto& part = state->value();
        using value_type = typename results::value_type;
        if constexpr (std::is_trivially_copyable_v<value_type> && std::copyable<value_type>) {
          values.insert(values.end(), part.begin(), part.end());  // in one piece
        } else {
          for (auto&& value : part)
            values.push_back(std::move(value));
        }
      }
      return values;
    }
  };
  return join_states<results>(&to, decided_by::first_error, std::move(finish), states);
}

// The same for threads, which share the elements: see guided.hpp.
template <bool Star, class F, class T>
auto map_guided(dispatcher& to, F callable, std::vector<T> elements, const map_options& options,
                waits blocks) {
  using share = map_share<Star, F, T>;
  using results = typename share::results;
  constexpr executor_kind kind = executor_kind::threads;
  const auto shared = std::make_shared<share>(std::move(elements), to.at(kind).worker_count());
  if (shared->ranges.size() > to.gate_of(kind).places()) {  // a worker could not wait for room
    return map_chunks<Star>(to, threads, std::move(callable), std::move(shared->elements), options,
                            blocks);
  }
  const auto states = submit_parts<void>(blocks, [&](std::vector<future<void>>& parts) {
    for (std::size_t range = 0; range < shared->ranges.size(); ++range) {
      parts.push_back(submit_to<false>(to, kind, options_from(kind, options),
                                       map_range<Star, F, T>{}, callable, shared));
    }
  });
  auto finish = [shared](std::size_t) -> results {
    if constexpr (!std::is_void_v<results>) {
      results values;
      values.reserve(shared->elements.size());
      for (auto& part : shared->parts) {
        for (auto&& value : part)
          values.push_back(std::move(value));
      }
      return values;
    }
  };
  return join_states<results>(&to, decided_by::first_error, std::move(finish), states);
}

template <bool Star, class Where, class F, class Range>
auto map_to(dispatcher& to, Where where, F callable, Range&& range, const map_options& options,
            waits blocks) {
  using element = range_value<Range>;
  using traits = typename element_call<Star, F, element>::traits;
  using result = typename traits::result;
  using joined = std::conditional_t<std::is_void_v<result>, void, std::vector<element_t<result>>>;
  const auto take = [](auto& at) -> element {
    if constexpr (owns_elements<Range>) {
      return std::move(*at);
    } else {
      return *at;
    }
  };
  const executor_kind kind = where;
  if constexpr (!element_call<Star, F, element>::require() ||
                refused<Where, result, F, element>()) {
    return future<joined>();
  } else if (is_null_function(callable)) {  // before it becomes an argument of chunks
    return failed_future<joined>(to, std::make_exception_ptr(null_function()));
  } else if constexpr (traits::is_coroutine) {
    return all_of(&to, submit_parts<result>(blocks, [&](std::vector<future<result>>& parts) {
                    for (auto at = std::begin(range); at != std::end(range); ++at) {
                      parts.push_back(submit_to<is_flexible<Where>>(
                          to, kind, options_from(kind, options), map_one<Star, F, element>{},
                          callable, take(at)));
                    }
                  }));
  } else {
    std::vector<element> elements;
    if constexpr (std::ranges::sized_range<Range>) elements.reserve(std::ranges::size(range));
    for (auto at = std::begin(range); at != std::end(range); ++at)
      elements.push_back(take(at));
    if (kind == executor_kind::threads && options.chunk == 0) {
      return map_guided<Star>(to, std::move(callable), std::move(elements), options, blocks);
    }
    return map_chunks<Star>(to, where, std::move(callable), std::move(elements), options, blocks);
  }
}

// Submits elements one by one as somebody makes room; shared by both kinds of imap.
template <class R>
class imap_source {
 public:
  template <class Where, class F, class Range>
  imap_source(dispatcher& to, Where where, F callable, Range&& range, const map_options& options)
      : window_(options.window != 0 ? options.window
                                    : std::size_t{4} * std::max(1U, to.at(where).worker_count())) {
    if constexpr (!refused_call<Where, F, range_value<Range>>()) {
      using held = std::conditional_t<std::is_lvalue_reference_v<Range>,
                                      std::reference_wrapper<std::remove_reference_t<Range>>,
                                      std::remove_reference_t<Range>>;
      auto owned = std::make_shared<held>(std::forward<Range>(range));
      std::remove_reference_t<Range>& elements = *owned;
      next_ = [&to, where, callable = std::move(callable), owned, options,
               at = std::begin(elements),
               end = std::end(elements)]() mutable -> std::optional<future<R>> {
        if (at == end) return std::nullopt;
        const executor_kind kind = where;
        auto submitted =
            submit_to<is_flexible<Where>>(to, kind, options_from(kind, options), callable,
                                          static_cast<range_value<Range>>(*at));
        ++at;
        return submitted;
      };
    }
  }

  // Empty when the range is exhausted.
  std::optional<future<R>> next() { return next_(); }
  [[nodiscard]] std::size_t window() const noexcept { return window_; }

 private:
  std::size_t window_;
  std::function<std::optional<future<R>>()> next_;
};

}  // namespace brigade::detail

namespace brigade {

// The range that imap returns: single pass. Elements are submitted as results are taken. Dropping
// it cancels what is in flight.
template <class R>
class imap_range {
 public:
  explicit imap_range(detail::imap_source<R> source) : source_(std::move(source)) {}
  imap_range(imap_range&&) noexcept = default;
  imap_range& operator=(imap_range&& other) noexcept {
    imap_range old(std::move(*this));
    source_ = std::move(other.source_);
    in_flight_ = std::exchange(other.in_flight_, {});
    return *this;
  }
  ~imap_range() {
    for (future<R>& each : in_flight_)
      each.cancel();
  }

  // The next result; empty at the end. Throws what the element's task threw.
  [[nodiscard]] std::optional<detail::element_t<R>> next() {
    while (in_flight_.size() < source_.window()) {
      std::optional<future<R>> more = source_.next();
      if (!more) break;
      in_flight_.push_back(std::move(*more));
    }
    if (in_flight_.empty()) return std::nullopt;
    future<R> first = std::move(in_flight_.front());
    in_flight_.pop_front();
    if constexpr (std::is_void_v<R>) {
      first.get();
      return std::monostate{};
    } else {
      return first.get();
    }
  }

  [[nodiscard]] detail::pull_iterator<imap_range> begin() {
    return detail::pull_iterator<imap_range>(*this);
  }
  [[nodiscard]] std::default_sentinel_t end() const noexcept { return {}; }

 private:
  detail::imap_source<R> source_;
  std::deque<future<R>> in_flight_;
};

// The range that imap_unordered returns: completed<R>, whose index is the element's. Dropping it
// cancels what is in flight.
template <class R>
class imap_unordered_range {
 public:
  explicit imap_unordered_range(detail::imap_source<R> source) : source_(std::move(source)) {}
  imap_unordered_range(imap_unordered_range&&) noexcept = default;
  imap_unordered_range& operator=(imap_unordered_range&& other) noexcept {
    imap_unordered_range old(std::move(*this));
    source_ = std::move(other.source_);
    stream_ = std::move(other.stream_);
    added_ = other.added_;
    in_flight_ = std::exchange(other.in_flight_, {});
    return *this;
  }
  ~imap_unordered_range() {
    for (const auto& [index, state] : in_flight_)
      state->cancel();
  }

  [[nodiscard]] std::optional<completed<R>> next() {
    while (in_flight_.size() < source_.window()) {
      std::optional<future<R>> more = source_.next();
      if (!more) break;
      in_flight_.emplace_back(added_++, detail::job_ref<detail::job_state>::share(
                                            detail::future_access::state(*more)));
      stream_.add(std::move(*more));
    }
    std::optional<completed<R>> ended = stream_.next();
    if (ended) {
      std::erase_if(in_flight_, [&](const auto& each) { return each.first == ended->index; });
    }
    return ended;
  }

  [[nodiscard]] detail::pull_iterator<imap_unordered_range> begin() {
    return detail::pull_iterator<imap_unordered_range>(*this);
  }
  [[nodiscard]] std::default_sentinel_t end() const noexcept { return {}; }

 private:
  using in_flight = std::pair<std::size_t, detail::job_ref<detail::job_state>>;

  detail::imap_source<R> source_;
  completion_stream<R> stream_;
  std::size_t added_ = 0;
  std::vector<in_flight> in_flight_;  // with its index
};

template <class Where, class F, class Range>
requires std::is_convertible_v<Where, executor_kind>
auto submitter::map_async(Where where, F callable, Range&& range, map_options options) {
  return detail::map_to<false, Where, detail::stored_t<F>>(*to_, where, std::move(callable),
                                                           std::forward<Range>(range), options,
                                                           detail::waits::no);
}

template <class Where, class F, class Range>
requires std::is_convertible_v<Where, executor_kind>
auto submitter::map(Where where, F callable, Range&& range, map_options options) {
  return detail::get_all(detail::map_to<false, Where, detail::stored_t<F>>(
      *to_, where, std::move(callable), std::forward<Range>(range), options, detail::waits::yes));
}

template <class Where, class F, class Range>
requires std::is_convertible_v<Where, executor_kind>
auto submitter::starmap_async(Where where, F callable, Range&& range, map_options options) {
  return detail::map_to<true, Where, detail::stored_t<F>>(*to_, where, std::move(callable),
                                                          std::forward<Range>(range), options,
                                                          detail::waits::no);
}

template <class Where, class F, class Range>
requires std::is_convertible_v<Where, executor_kind>
auto submitter::starmap(Where where, F callable, Range&& range, map_options options) {
  return detail::get_all(detail::map_to<true, Where, detail::stored_t<F>>(
      *to_, where, std::move(callable), std::forward<Range>(range), options, detail::waits::yes));
}

template <class Where, class F, class Range>
requires std::is_convertible_v<Where, executor_kind>
auto submitter::imap(Where where, F callable, Range&& range, map_options options) {
  using result = typename detail::call_traits<F, detail::range_value<Range>>::result;
  return imap_range<result>(detail::imap_source<result>(*to_, where, std::move(callable),
                                                        std::forward<Range>(range), options));
}

template <class Where, class F, class Range>
requires std::is_convertible_v<Where, executor_kind>
auto submitter::imap_unordered(Where where, F callable, Range&& range, map_options options) {
  using result = typename detail::call_traits<F, detail::range_value<Range>>::result;
  return imap_unordered_range<result>(detail::imap_source<result>(
      *to_, where, std::move(callable), std::forward<Range>(range), options));
}

}  // namespace brigade
