#include <brigade/work/map.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <memory>
#include <numeric>
#include <ranges>
#include <span>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include <brigade/work/sleep.hpp>
#include <brigade/work/task.hpp>
#include <brigade/work/then.hpp>

#include "support/eventually.hpp"
#include "toy_executor.hpp"

using namespace brigade;
using brigade::detail::guided_ranges;
using brigade::testing::toy_runtime;

namespace {

constexpr unsigned workers = 2;  // of toy_runtime

std::vector<int> first_numbers(std::size_t count) {
  std::vector<int> numbers(count);
  std::iota(numbers.begin(), numbers.end(), 0);
  return numbers;
}

}  // namespace

TEST_CASE("guided ranges cover everything once, in order, and become smaller down to one element") {
  for (const unsigned crew : {0U, 1U, 2U, 3U, 64U}) {
    for (const std::size_t count : {0U, 1U, 2U, 3U, 7U, 100U, 1000U, 123'456U}) {
      CAPTURE(crew);
      CAPTURE(count);
      guided_ranges ranges(count, crew);
      std::size_t end = 0;
      std::size_t size = count;
      for (std::size_t at = 0; at < ranges.size(); ++at) {
        CHECK(ranges.claim() == at);
        const auto [first, last] = ranges[at];
        REQUIRE(first == end);
        REQUIRE(last > first);
        REQUIRE(last - first <= size);
        size = last - first;
        end = last;
      }
      CHECK(end == count);
      if (count == 0) continue;
      CHECK(size == 1);
      const std::size_t parts = 2 * std::max(1U, crew);
      CHECK(ranges[0].second == std::max<std::size_t>(1, count / parts));
      CHECK(ranges.size() <= std::min(count, 16 * parts));  // few, however many elements
    }
  }
}

TEST_CASE("map on threads gives every result in order, for any number of elements") {
  toy_runtime rt({}, {}, workers);
  for (const std::size_t count : {0U, 1U, 2U, 5U, 64U, 1000U}) {
    const std::vector<int> numbers = first_numbers(count);
    CHECK(rt.map(
              threads, [](int each) { return each; }, numbers) == numbers);
    std::atomic<long> sum{0};
    rt.map(
        threads, [&sum](int each) { sum += each; }, numbers);
    CHECK(sum == std::accumulate(numbers.begin(), numbers.end(), 0L));
  }
  const std::vector<bool> odd = rt.map(
      threads, [](int each) { return each % 2 == 1; }, std::vector<int>{1, 2, 3, 4, 5});
  CHECK(odd == std::vector<bool>{true, false, true, false, true});
}

TEST_CASE("results that can only be moved, or not even assigned, are gathered from chunks too") {
  toy_runtime rt({}, {}, workers);
  const map_options in_chunks{.chunk = 2};
  const std::vector<int> numbers = first_numbers(5);
  const auto owned = rt.map(
      threads, [](int each) { return std::make_unique<int>(each); }, numbers, in_chunks);
  struct fixed {
    const int value;
  };
  const auto constant = rt.map(
      threads, [](int each) { return fixed{each}; }, numbers, in_chunks);
  const std::vector<bool> odd = rt.map(
      threads, [](int each) { return each % 2 == 1; }, numbers, in_chunks);
  CHECK(odd == std::vector<bool>{false, true, false, true, false});
  REQUIRE(owned.size() == 5);
  REQUIRE(constant.size() == 5);
  CHECK(*owned[4] == 4);
  CHECK(constant[4].value == 4);
}

TEST_CASE("map submits a task for each guided range, or for each chunk that was asked for") {
  toy_runtime rt({}, {}, workers);
  const std::vector<int> numbers = first_numbers(1000);
  const auto tasks = [&](std::size_t chunk) {
    const auto before = rt.stats(executor_kind::threads).submitted;
    CHECK(rt.map(threads, [](int each) { return each; }, numbers, {.chunk = chunk}) == numbers);
    return rt.stats(executor_kind::threads).submitted - before;
  };
  CHECK(tasks(0) == guided_ranges(numbers.size(), workers).size());
  CHECK(tasks(100) == 10);
  CHECK(tasks(999) == 2);
}

TEST_CASE("where the queue is too short for guided ranges, map sends four chunks a worker") {
  toy_runtime rt({}, {.max_pending = 4 * workers}, workers);
  const std::vector<int> numbers = first_numbers(1000);
  REQUIRE(guided_ranges(numbers.size(), workers).size() > 4 * workers);
  const auto same = [](int each) { return each; };
  CHECK(rt.map(threads, same, numbers) == numbers);
  CHECK(rt.stats(executor_kind::threads).submitted == 4 * workers);
  future<std::vector<int>> from_inside;  // a worker may not wait for room
  rt.submit(threads, [&] { from_inside = rt.map_async(threads, same, numbers); }).get();
  CHECK(from_inside.get() == numbers);
}

TEST_CASE("tuples and stop tokens are welcome") {
  toy_runtime rt({}, {}, workers);
  std::vector<std::tuple<int, int>> pairs;
  for (int each = 0; each < 50; ++each)
    pairs.emplace_back(each, 1);
  CHECK(rt.starmap(
            threads, [](int a, int b) { return a * b; }, pairs) == first_numbers(50));
  const auto unasked = [](std::stop_token stop, int each) {
    return stop.stop_requested() ? -1 : each;
  };
  CHECK(rt.map(threads, unasked, first_numbers(50)) == first_numbers(50));
}

TEST_CASE("each task of a map has the callable to itself") {
  toy_runtime rt({}, {}, workers);
  const auto counts = [calls = 0](int) mutable { return ++calls; };
  const std::vector<int> calls = rt.map(threads, counts, first_numbers(100));
  CHECK(calls.front() == 1);
  CHECK(calls.back() == 1);  // the last range has one element
}

TEST_CASE("the first failure of a map is thrown, and the rest is cancelled") {
  toy_runtime rt({}, {}, workers);
  const auto fails = [](int each) {
    if (each == 0) throw std::out_of_range("the first");
    return each;
  };
  CHECK_THROWS_AS(rt.map(threads, fails, first_numbers(1000)), std::out_of_range);
}

TEST_CASE("elements are moved out of a container that was given up, and out of nothing else") {
  toy_runtime rt({}, {}, workers);
  const std::string text(100, 'x');
  const auto length = [](std::string each) { return each.size(); };
  std::vector<std::string> words(3, text);
  const std::vector<std::size_t> lengths(3, text.size());
  for (const std::size_t chunk : {0U, 1U}) {
    CHECK(rt.map(threads, length, words, {.chunk = chunk}) == lengths);
    CHECK(rt.map(threads, length, std::span(words), {.chunk = chunk}) == lengths);
    CHECK(rt.map(threads, length, words | std::views::take(3), {.chunk = chunk}) == lengths);
    CHECK(rt.map(threads, length, std::ranges::subrange(words), {.chunk = chunk}) == lengths);
    CHECK(words == std::vector<std::string>(3, text));
  }
  for (const std::string& each : rt.imap(threads, [](std::string word) { return word; },
                                         std::span(words)))
    CHECK(each == text);
  CHECK(words == std::vector<std::string>(3, text));
  std::vector<std::unique_ptr<int>> owners;
  owners.push_back(std::make_unique<int>(4));
  CHECK(rt.map(threads, [](std::unique_ptr<int> each) { return *each; }, std::move(owners)) ==
        std::vector<int>{4});
}

TEST_CASE("elements that are proxies of their range become values") {
  toy_runtime rt({}, {}, workers);
  const auto negate = [](bool each) { return each ? 0 : 1; };
  const std::vector<int> expected{1, 0, 0};
  for (const std::size_t chunk : {0U, 2U}) {
    CHECK(rt.map(threads, negate, std::vector<bool>{false, true, true}, {.chunk = chunk}) ==
          expected);
  }
  auto later = rt.map_async(loop, negate, std::vector<bool>{false, true, true});
  CHECK(later.get() == expected);
  std::vector<int> lazy;
  for (const int each : rt.imap(threads, negate, std::vector<bool>{false, true, true}))
    lazy.push_back(each);
  CHECK(lazy == expected);
}

namespace {

// Counts those that are inside.
struct inside {
  explicit inside(std::atomic<int>& counter) : count(counter) { ++count; }
  inside(const inside&) = delete;
  inside& operator=(const inside&) = delete;
  ~inside() { --count; }
  std::atomic<int>& count;
};

// Ends when it is asked to; 0 at once.
auto until_stopped(std::atomic<int>& count) {
  return [&count](std::stop_token stop, int each) {
    const inside here(count);
    while (each != 0 && !stop.stop_requested())
      std::this_thread::yield();
    return each;
  };
}

}  // namespace

TEST_CASE("when a map that blocks throws, none of its tasks runs on") {
  std::atomic<int> count{0};
  std::atomic<int> begun{0};
  SUBCASE("because the queue was full") {
    toy_runtime rt({}, {.max_pending = 3, .when_full = when_full::fail}, workers);
    const auto task = [&, wait = until_stopped(count)](std::stop_token stop, int each) {
      ++begun;
      return wait(std::move(stop), each + 1);
    };
    CHECK_THROWS_AS(rt.map(threads, task, first_numbers(10), {.chunk = 1}), queue_full);
    CHECK(count == 0);
    const int before = begun;
    CHECK(before <= 3 + static_cast<int>(workers));  // those that waited, and one in each worker
    rt.submit(threads, [] {}).get();
    CHECK(rt.shutdown(shutdown_mode::drain));
    CHECK(begun == before);
  }
  SUBCASE("because its range threw") {
    toy_runtime rt({}, {}, workers);
    const auto sleeps = [&](int each) -> task<int> {
      const inside here(count);
      ++begun;
      co_await sleep_for(std::chrono::hours(1));
      co_return each;
    };
    const std::vector<int> numbers = first_numbers(10);
    const auto thrown = numbers | std::views::transform([](int each) {
                          if (each == 5) throw std::out_of_range("five");
                          return each;
                        });
    CHECK_THROWS_AS(rt.map(loop, sleeps, thrown), std::out_of_range);
    CHECK(count == 0);
    CHECK(begun <= 5);
  }
}

TEST_CASE("a lazy range that is dropped or assigned cancels what is in flight") {
  std::atomic<int> count{0};
  toy_runtime rt({}, {}, workers);
  const auto same = [](int each) { return each; };
  {
    auto range = rt.imap(threads, until_stopped(count), first_numbers(100), {.window = 4});
    CHECK(range.next() == 0);
    range = rt.imap(threads, until_stopped(count), first_numbers(5), {.window = 5});
    CHECK(range.next() == 0);
    range = rt.imap(threads, until_stopped(count), std::vector<int>{0, 0});
    CHECK(range.next() == 0);
    CHECK(range.next() == 0);
    CHECK_FALSE(range.next());
  }
  {
    auto range =
        rt.imap_unordered(threads, until_stopped(count), first_numbers(100), {.window = 4});
    const auto first = range.next();
    REQUIRE(first);
    CHECK(first->index == 0);
    range = rt.imap_unordered(threads, until_stopped(count), first_numbers(100), {.window = 3});
    CHECK(range.next()->index == 0);
  }
  CHECK(rt.map(threads, same, first_numbers(5)) == first_numbers(5));
  CHECK(rt.shutdown(shutdown_mode::drain));  // would last for ever
  CHECK(count == 0);
}

TEST_CASE("the result of a map of nothing can be continued") {
  toy_runtime rt({}, {}, workers);
  const auto same = [](int each) { return each; };
  const auto later = [](int each) -> task<int> { co_return each; };
  const auto size = [](const std::vector<int>& all) { return all.size(); };
  CHECK(rt.map_async(threads, same, std::vector<int>{}).then(threads, size).get() == 0);
  CHECK(rt.map_async(loop, same, std::vector<int>{}).then(threads, size).get() == 0);
  CHECK(rt.map_async(loop, later, std::vector<int>{}).then(threads, size).get() == 0);
  const auto combine = [&] { return when_all(std::vector<future<int>>{}).then(loop, size).get(); };
  CHECK(rt.submit(threads, combine).get() == 0);  // in the runtime of the task
  CHECK_THROWS_AS(combine(), runtime_stopped);    // of which runtime?
}

TEST_CASE("gather tells a value that is an exception from an error") {
  toy_runtime rt;
  std::vector<future<std::exception_ptr>> futures;
  futures.push_back(rt.submit(
      threads, [] { return std::make_exception_ptr(std::out_of_range("a value")); }));
  auto outcomes = gather(std::move(futures)).get();
  REQUIRE(outcomes.size() == 1);
  CHECK(outcomes[0].has_value());
  CHECK_THROWS_AS(std::rethrow_exception(*outcomes[0]), std::out_of_range);
}
