// .deadline, .queue_deadline, .retries and .idempotent.
#include <brigade/work/options.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <brigade/work/sleep.hpp>

#include "toy_executor.hpp"

using namespace brigade;
using namespace std::chrono_literals;
using brigade::testing::barrier_gate;
using brigade::testing::toy_runtime;

namespace {

// On a busy machine a short deadline may pass before the task starts.
template <class R>
bool started(const future<R>& task) {
  return task.stats().started.time_since_epoch().count() != 0;
}

}  // namespace

TEST_CASE("a deadline fails the future while the body still runs, and asks the body to stop") {
  std::atomic<bool> stopped{false};
  barrier_gate door;
  toy_runtime rt;
  auto late = rt.submit({.name = "slow", .deadline = 5ms}, [&](std::stop_token stop) {
    while (!stop.stop_requested())
      std::this_thread::yield();
    stopped = true;
    door.pass();
    return 1;
  });
  late.wait();
  door.open();
  CHECK(rt.shutdown(shutdown_mode::drain));
  CHECK(stopped == started(late));
  CHECK_THROWS_AS(late.get(), task_timeout);
}

TEST_CASE("a deadline passes in the queue too: the task never runs and frees its place") {
  barrier_gate door;
  std::atomic<bool> busy{false};
  toy_runtime rt({}, {}, 1);
  rt.post(threads, [&] {
    busy = true;
    busy.notify_all();
    door.pass();
  });
  busy.wait(false);
  auto argument = std::make_shared<int>(1);
  std::weak_ptr<int> watched = argument;
  auto late = rt.submit(
      {.deadline = 2ms}, [](const std::shared_ptr<int>&) { FAIL("it ran"); }, std::move(argument));
  CHECK_THROWS_AS(late.get(), task_timeout);
  CHECK(watched.expired());
  CHECK(rt.stats(executor_kind::threads).queued == 0);
  door.open();
}

TEST_CASE("a queue deadline concerns only tasks that have not started") {
  barrier_gate door;
  toy_runtime rt({}, {}, 1);
  future<int> running;
  auto patience = 50ms;
  do {  // on a busy machine the deadline may pass before the task starts
    patience *= 2;
    running = rt.submit({.queue_deadline = patience}, [&] {
      door.pass();
      return 1;
    });
    while (!started(running) && !running.ready())
      std::this_thread::yield();
  } while (!started(running));
  auto queued = rt.submit({.queue_deadline = patience}, [] { return 2; });
  CHECK_THROWS_AS(queued.get(), task_timeout);  // by now the first deadline has passed as well
  door.open();
  CHECK(running.get() == 1);
}

TEST_CASE("a deadline ends the wait of a coroutine") {
  std::atomic<bool> cancelled{false};
  toy_runtime rt;
  auto late = rt.submit({.deadline = 3ms}, [&cancelled]() -> task<void> {
    try {
      co_await sleep_for(1h);
    } catch (const task_cancelled&) {
      cancelled = true;
      throw;
    }
  });
  late.wait();
  CHECK(rt.shutdown(shutdown_mode::drain));
  CHECK(cancelled == started(late));
  CHECK_THROWS_AS(late.get(), task_timeout);
}

TEST_CASE("the longest and the shortest deadline are fine") {
  toy_runtime rt;
  auto ample = rt.submit({.deadline = std::chrono::nanoseconds::max()}, [] { return 1; });
  CHECK(ample.get() == 1);
  auto none = rt.submit({.deadline = -1s}, []() -> task<void> { co_await sleep_for(1h); });
  CHECK_THROWS_AS(none.get(), task_timeout);
}

TEST_CASE("deadlines and stop tokens that fire while the task is being submitted do no harm") {
  toy_runtime rt;
  int outcomes = 0;
  for (int round = 0; round < 2000; ++round) {
    std::stop_source source;
    std::jthread stopper([&source] { source.request_stop(); });
    auto answer = rt.submit({.deadline = std::chrono::nanoseconds(round % 50 * 1000),
                             .queue_deadline = std::chrono::nanoseconds(round % 30 * 1000),
                             .stop = source.get_token()},
                            [] { return 1; });
    try {
      outcomes += answer.get();
    } catch (const task_timeout&) {
      ++outcomes;
    } catch (const task_cancelled&) {
      ++outcomes;
    }
  }
  CHECK(outcomes == 2000);
  CHECK(rt.shutdown(shutdown_mode::drain));
}

TEST_CASE("an idempotent task is tried again with unmoved arguments") {
  std::atomic<int> tries{0};
  toy_runtime rt;
  const auto work = [&tries](std::string text, std::vector<int> list) {
    const std::string taken = std::move(text);
    const std::vector<int> all = std::move(list);
    if (++tries < 3) throw std::runtime_error("again");
    return taken + std::to_string(all.size());
  };
  auto answer = rt.submit({.retries = 2, .idempotent = true}, work, "abc", std::vector<int>{1, 2});
  CHECK(answer.get() == "abc2");
  CHECK(tries == 3);
}

TEST_CASE("the last attempt's error is the outcome") {
  std::atomic<int> tries{0};
  toy_runtime rt;
  auto fails = rt.submit({.retries = 2, .idempotent = true},
                         [&tries] { throw std::runtime_error("try " + std::to_string(++tries)); });
  CHECK_THROWS_WITH_AS(fails.get(), "try 3", std::runtime_error);
}

TEST_CASE("a coroutine is tried again, many times, on its own executor and on a flat stack") {
  std::atomic<int> tries{0};
  toy_runtime rt;
  auto answer = rt.submit({.retries = 100'000, .idempotent = true}, [&]() -> task<int> {
    const bool at_home = detail::this_thread_context().where == &rt.core.at(executor_kind::threads);
    if (!at_home) co_return -1;
    if (++tries % 1000 == 0) co_await resume_on(loop);
    if (tries < 100'000) throw std::runtime_error("again");
    co_return tries.load();
  });
  CHECK(answer.get() == 100'000);
}

TEST_CASE("a deadline counts over all attempts, and a stop ends them") {
  toy_runtime rt;
  auto late = rt.submit({.deadline = 5ms, .retries = 1'000'000'000, .idempotent = true}, [] {
    std::this_thread::yield();
    throw std::runtime_error("again");
  });
  CHECK_THROWS_AS(late.get(), task_timeout);
  std::atomic<bool> busy{false};
  auto stopped =
      rt.submit({.retries = 1'000'000'000, .idempotent = true}, [&busy](std::stop_token) {
        busy = true;
        busy.notify_all();
        throw std::runtime_error("again");
      });
  busy.wait(false);
  stopped.cancel();
  CHECK_THROWS_AS(stopped.get(), std::runtime_error);
}

TEST_CASE("retries without idempotent, and idempotent without copies, are refused") {
  toy_runtime rt;
  auto unsaid = rt.submit({.retries = 1}, [] { FAIL("it ran"); });
  CHECK_THROWS_AS(unsaid.get(), std::invalid_argument);
  auto unmovable = rt.submit(
      {.idempotent = true}, [](const std::unique_ptr<int>&) {}, std::make_unique<int>(1));
  CHECK_THROWS_AS(unmovable.get(), std::invalid_argument);
}
