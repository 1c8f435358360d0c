#include "contract.hpp"

#include <memory>
#include <stdexcept>
#include <vector>

using namespace contract;

namespace {

bg::task<long> one() { co_return 1; }

bg::task<long> many_awaits(long count) {
  long sum = 0;
  for (long i = 0; i < count; ++i)
    sum += co_await one();
  co_return sum;
}

bg::task<long> deep(long depth) {
  if (depth == 0) co_return 0;
  const long below = co_await deep(depth - 1);
  co_return below + 1;
}

bg::task<int> submits_inside() {
  bg::future<int> on_threads = bg::submit(bg::threads, square, 3);
  bg::future<int> on_loop = bg::submit(bg::loop, square_later, 4);
  const int a = co_await std::move(on_threads);
  const int b = co_await std::move(on_loop);
  co_return a + b;
}

bg::task<int> catches_inside() {
  bg::future<int> failing =
      bg::submit(bg::threads, []() -> int { throw std::out_of_range("inner"); });
  try {
    co_return co_await std::move(failing);
  } catch (const std::out_of_range&) {
    co_return -1;
  }
}

bg::task<bool> asio_timer() {
  asio::steady_timer timer(bg::io_context(), 1ms);
  co_await timer.async_wait(bg::use_task);
  co_return bg::current().executor.has_value();
}

bg::task<std::vector<int>> moves_about() {
  std::vector<int> seen;
  seen.push_back(static_cast<int>(*bg::current().executor));
  co_await bg::resume_on(bg::threads);
  seen.push_back(static_cast<int>(*bg::current().executor));
  co_await bg::sleep_for(1ms);
  seen.push_back(static_cast<int>(*bg::current().executor));
  co_await bg::resume_on(bg::loop);
  seen.push_back(static_cast<int>(*bg::current().executor));
  co_return seen;
}

}  // namespace

TEST_CASE_TEMPLATE("two million synchronous awaits need no stack", Where, CONTRACT_EACH) {
  bg::runtime rt(two_workers());
  CHECK(rt.submit(Where::where(), many_awaits, 2'000'000L).get() == 2'000'000);
}

TEST_CASE_TEMPLATE("a chain of a hundred thousand frames unwinds without the stack", Where,
                   CONTRACT_EACH) {
  bg::runtime rt(two_workers());
  CHECK(rt.submit(Where::where(), deep, 100'000L).get() == 100'000);
}

TEST_CASE_TEMPLATE("a task submits to other executors and awaits them", Where, CONTRACT_ALL) {
  bg::runtime rt(two_workers());
  CHECK(rt.submit(Where::where(), submits_inside).get() == 25);
  CHECK(rt.submit(Where::where(), catches_inside).get() == -1);
}

TEST_CASE_TEMPLATE("an Asio operation is awaited with use_task", Where, CONTRACT_EACH) {
  bg::runtime rt(two_workers());
  CHECK(rt.submit(Where::where(), asio_timer).get());
}

TEST_CASE_TEMPLATE("a task keeps where it was submitted and its name over a wait", Where,
                   CONTRACT_EACH) {
  bg::runtime rt(two_workers());
  auto after_wait = rt.submit({.on = Where::kind, .name = "soup"}, []() -> bg::task<std::string> {
    co_await bg::sleep_for(1ms);
    const bg::current_task here = bg::current();
    co_return here.name + " on " + std::string(bg::to_string(*here.executor));
  });
  CHECK(after_wait.get() == "soup on " + std::string(bg::to_string(Where::kind)));
}

TEST_CASE("resume_on moves a task between loop and threads, and not to a process") {
  bg::runtime rt(two_workers());
  CHECK(rt.submit(bg::loop, moves_about).get() == std::vector<int>{0, 1, 1, 0});
  auto refused = rt.submit(bg::loop, []() -> bg::task<> { co_await bg::resume_on(bg::processes); });
  CHECK_THROWS_AS(refused.get(), bg::not_transportable);
}

TEST_CASE("submit owns a capturing coroutine lambda until it ends") {
  bg::runtime rt(two_workers());
  for (const bg::executor_kind kind : {bg::executor_kind::loop, bg::executor_kind::threads}) {
    auto owned = std::make_unique<int>(42);
    auto task = rt.submit(kind, [owned = std::move(owned)]() -> bg::task<int> {
      co_await bg::sleep_for(2ms);
      co_return *owned;
    });
    CHECK(task.get() == 42);
  }
}

TEST_CASE("blocking on its own executor is refused where it could never end") {
  bg::runtime rt(one_worker());
  auto on_loop = rt.submit(bg::loop, [] { return bg::submit(bg::loop, square, 2).get(); });
  CHECK_THROWS_AS(on_loop.get(), bg::would_deadlock);
  auto map_on_loop = rt.submit(bg::loop, [&rt] {
    return rt.map(bg::loop, square, std::vector<int>{1, 2});
  });
  try {
    map_on_loop.get();
    FAIL("it waited for itself");
  } catch (const bg::would_deadlock& error) {
    CHECK(std::string(error.what()).find("map_async") != std::string::npos);
  }
  auto on_threads = rt.submit(bg::threads, [] { return bg::submit(bg::threads, square, 2).get(); });
  CHECK(on_threads.get() == 4);
}

TEST_CASE("in a worker process the free functions reach its own loop and threads, and no pool") {
  bg::runtime rt(two_workers());
  CHECK(rt.submit(bg::processes, [] { return bg::submit(bg::threads, square, 5).get(); }).get() ==
        25);
  CHECK(rt.submit(bg::processes, [] {
            return bg::current_runtime().submit(bg::loop, square, 5).get();
          }).get() == 25);
  auto nested = rt.submit(bg::processes, [] { return bg::submit(bg::processes, square, 5).get(); });
  CHECK_THROWS_AS(nested.get(), bg::would_deadlock);
}

TEST_CASE("the free functions say so where there is no runtime") {
  CHECK_THROWS_AS(static_cast<void>(bg::submit(bg::loop, square, 2)), std::logic_error);
  CHECK_FALSE(bg::current().executor.has_value());
}
