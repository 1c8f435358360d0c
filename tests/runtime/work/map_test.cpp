#include <brigade/work/map.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <numeric>
#include <stdexcept>
#include <stop_token>
#include <tuple>
#include <vector>

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
