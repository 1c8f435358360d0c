#include <brigade/work/task.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <stdexcept>
#include <string>

#include <brigade/work/sleep.hpp>

#include "toy_executor.hpp"

using namespace brigade;
using brigade::testing::toy_runtime;

namespace {

int three() { return 3; }

task<int> one() { co_return 1; }

task<long> count_to(long times) {
  long sum = 0;
  for (long at = 0; at < times; ++at) sum += co_await one();
  co_return sum;
}

task<int> fails() {
  throw std::out_of_range("deep");
  co_return 0;
}

task<long> count_failures(long times) {
  long caught = 0;
  for (long at = 0; at < times; ++at) {
    try {
      co_await fails();
    } catch (const std::out_of_range&) {
      ++caught;
    }
  }
  co_return caught;
}

task<int> nested(int depth) {
  if (depth == 0) co_return 0;
  const int below = co_await nested(depth - 1);
  co_return below + 1;
}

task<int> nested_failure(int depth) {
  if (depth == 0) throw std::runtime_error("bottom");
  const int below = co_await nested_failure(depth - 1);
  co_return below;
}

struct counted {
  explicit counted(int& alive) : alive_(&alive) { ++*alive_; }
  counted(const counted&) = delete;
  counted& operator=(const counted&) = delete;
  ~counted() { --*alive_; }
  int* alive_;
};

task<int> with_local(int& alive) {
  const counted local(alive);
  co_await yield_now();
  co_return alive;
}

}  // namespace

TEST_CASE("two million awaits that complete at once need a constant stack") {
  toy_runtime rt;
  CHECK(rt.submit(threads, count_to, 2'000'000L).get() == 2'000'000);
}

TEST_CASE("exceptions pass through awaits, and awaits that throw need a constant stack") {
  toy_runtime rt;
  CHECK(rt.submit(threads, count_failures, 20'000L).get() == 20'000);
  CHECK_THROWS_WITH_AS(rt.submit(threads, nested_failure, 100).get(), "bottom",
                       std::runtime_error);
}

TEST_CASE("awaits may nest as deep as memory allows") {
  toy_runtime rt;
  CHECK(rt.submit(threads, nested, 100'000).get() == 100'000);
}

TEST_CASE("a task may yield nothing, a value that only moves, or one with no default") {
  toy_runtime rt;
  struct plain {
    explicit plain(int number) : number(number) {}
    int number;
  };
  const auto all = [](int start) -> task<std::string> {
    const auto owned = co_await [](int value) -> task<std::unique_ptr<int>> {
      co_return std::make_unique<int>(value);
    }(start);
    int seen = 0;
    co_await [](int& to) -> task<void> {
      to = 5;
      co_return;
    }(seen);
    const plain last = co_await []() -> task<plain> { co_return plain(3); }();
    co_return std::to_string(*owned) + std::to_string(seen) + std::to_string(last.number);
  };
  CHECK(rt.submit(threads, all, 7).get() == "753");
}

TEST_CASE("a task is lazy: nothing runs before it is awaited or submitted") {
  int alive = 0;
  {
    task<int> waiting = with_local(alive);
    CHECK(static_cast<bool>(waiting));
    CHECK(alive == 0);
    task<int> moved = std::move(waiting);
    CHECK_FALSE(static_cast<bool>(waiting));
  }
  CHECK(alive == 0);
}

TEST_CASE("the locals of a task are gone when its future is ready") {
  int alive = 0;
  toy_runtime rt;
  auto answer = rt.submit(threads, [&alive]() -> task<int> { return with_local(alive); });
  CHECK(answer.get() == 1);
  CHECK(alive == 0);
}

TEST_CASE("to await or return an empty task is an error") {
  toy_runtime rt;
  auto awaits = rt.submit(threads, []() -> task<int> { co_return co_await task<int>(); });
  CHECK_THROWS_AS(awaits.get(), std::logic_error);
  auto returns = rt.submit(threads, [] { return task<int>(); });
  CHECK_THROWS_AS(returns.get(), std::logic_error);
}

TEST_CASE("a task awaits futures of every executor, and tasks of its own in turn") {
  toy_runtime rt;
  auto sum = rt.submit(loop, []() -> task<int> {
    auto first = submit(threads, [] { return 1; });
    auto second = submit(loop, one);
    auto third = submit(processes, three);
    int total = co_await std::move(third);
    total += co_await std::move(second);
    total += co_await std::move(first);
    total += co_await one();
    co_return total;
  });
  CHECK(sum.get() == 6);
}
