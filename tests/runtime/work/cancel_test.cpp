// Cancellation at any moment: of queued, running, waiting and ended tasks, by hand and by token.
#include <brigade/work/submit.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <random>
#include <stop_token>
#include <thread>
#include <vector>

#include <brigade/work/sleep.hpp>

#include "support/eventually.hpp"
#include "toy_executor.hpp"

using namespace brigade;
using namespace std::chrono_literals;
using brigade::testing::barrier_gate;
using brigade::testing::eventually;
using brigade::testing::toy_runtime;

namespace {

bool started(const future<void>& task) {
  return task.stats().started.time_since_epoch().count() != 0;
}

// A moment of that many steps, which no compiler leaves out.
void waste(unsigned steps) {
  for (unsigned at = 0; at < steps; ++at) std::atomic_signal_fence(std::memory_order_seq_cst);
}

}  // namespace

TEST_CASE("a task cancelled in the queue never runs, and its arguments are gone at once") {
  barrier_gate door;
  std::atomic<bool> busy{false};
  toy_runtime rt({}, {}, 1);
  auto running = rt.submit(threads, [&] { busy = true; busy.notify_all(); door.pass(); });
  busy.wait(false);
  auto argument = std::make_shared<int>(1);
  std::weak_ptr<int> watched = argument;
  auto queued = rt.submit(threads, [](const std::shared_ptr<int>&) { FAIL("it ran"); },
                          std::move(argument));
  CHECK(rt.stats(executor_kind::threads).queued == 1);
  CHECK(queued.cancel());
  CHECK(watched.expired());
  CHECK(rt.stats(executor_kind::threads).queued == 0);
  CHECK(rt.stats(executor_kind::threads).cancelled == 1);
  CHECK(queued.ready());
  CHECK_FALSE(queued.cancel());
  CHECK_THROWS_AS(queued.get(), task_cancelled);
  door.open();
}

TEST_CASE("a running task is asked through its stop token, and its value counts") {
  std::atomic<bool> busy{false};
  toy_runtime rt;
  auto running = rt.submit(threads, [&busy](std::stop_token stop, int value) {
    busy = true;
    busy.notify_all();
    while (!stop.stop_requested()) std::this_thread::yield();
    return value;
  }, 9);
  busy.wait(false);
  CHECK(running.cancel());
  CHECK(running.get() == 9);
}

TEST_CASE("cancelling a running task without a stop token has no effect, and says so") {
  barrier_gate door;
  std::atomic<bool> busy{false};
  toy_runtime rt;
  auto running = rt.submit(threads, [&] { busy = true; busy.notify_all(); door.pass(); return 4; });
  busy.wait(false);
  CHECK_FALSE(running.cancel());
  CHECK_FALSE(running.kill());
  door.open();
  CHECK(running.get() == 4);
}

TEST_CASE("cancelling a coroutine cancels what it waits for") {
  std::atomic<bool> child_stopped{false};
  std::atomic<bool> busy{false};
  toy_runtime rt;
  auto parent = rt.submit(loop, [&]() -> task<void> {
    auto child = submit(threads, [&](std::stop_token stop) {
      busy = true;
      busy.notify_all();
      while (!stop.stop_requested()) std::this_thread::yield();
      child_stopped = true;
    });
    co_await std::move(child);
  });
  busy.wait(false);
  CHECK(parent.cancel());
  CHECK_THROWS_AS(parent.get(), task_cancelled);
  CHECK(eventually([&] { return child_stopped.load(); }));
}

TEST_CASE("a coroutine may catch its cancellation and go on") {
  toy_runtime rt;
  auto stubborn = rt.submit(threads, []() -> task<int> {
    try {
      co_await sleep_for(1h);
    } catch (const task_cancelled&) {
    }
    co_await sleep_for(1ms);
    co_return 3;
  });
  CHECK(eventually([&] { return stubborn.stats().started.time_since_epoch().count() != 0; }));
  CHECK(stubborn.cancel());
  CHECK(stubborn.get() == 3);
}

TEST_CASE("the token of .stop cancels in every phase") {
  SUBCASE("already requested at submit") {
    std::stop_source source;
    toy_runtime rt;
    source.request_stop();
    auto never = rt.submit({.stop = source.get_token()}, [] { FAIL("it ran"); });
    CHECK_THROWS_AS(never.get(), task_cancelled);
  }
  SUBCASE("while queued") {
    std::stop_source source;
    barrier_gate door;
    toy_runtime rt({}, {}, 1);
    rt.post(threads, [&door] { door.pass(); });
    auto queued = rt.submit({.stop = source.get_token()}, [] { FAIL("it ran"); });
    source.request_stop();
    CHECK(queued.ready());
    CHECK_THROWS_AS(queued.get(), task_cancelled);
    door.open();
  }
  SUBCASE("while running") {
    std::stop_source source;
    std::atomic<bool> busy{false};
    toy_runtime rt;
    auto running = rt.submit({.stop = source.get_token()}, [&busy](std::stop_token stop) {
      busy = true;
      busy.notify_all();
      while (!stop.stop_requested()) std::this_thread::yield();
      return 1;
    });
    busy.wait(false);
    source.request_stop();
    CHECK(running.get() == 1);
  }
  SUBCASE("while waiting") {
    std::stop_source source;
    toy_runtime rt;
    auto waiting = rt.submit({.stop = source.get_token()},
                             []() -> task<void> { co_await sleep_for(1h); });
    CHECK(eventually([&] { return started(waiting); }));
    source.request_stop();
    CHECK_THROWS_AS(waiting.get(), task_cancelled);
  }
  SUBCASE("after the end") {
    std::stop_source source;
    toy_runtime rt;
    auto ended = rt.submit({.stop = source.get_token()}, [] { return 2; });
    ended.wait();
    source.request_stop();
    CHECK(ended.get() == 2);
  }
}

TEST_CASE("a token that fires around submit, start and end leaves exactly one outcome") {
  toy_runtime rt;
  std::mt19937 random(11);
  int values = 0;
  int cancelled = 0;
  for (int round = 0; round < 2000; ++round) {
    std::stop_source source;
    std::atomic<bool> go{false};
    const unsigned spins = random() % 400;
    std::thread stopper([&] {
      while (!go.load(std::memory_order_acquire)) {
      }
      waste(spins);
      source.request_stop();
    });
    go.store(true, std::memory_order_release);
    auto answer = rt.submit({.deadline = 1h, .stop = source.get_token()},
                            [](int value) { return value; }, round);
    try {
      if (answer.get() == round) ++values;
    } catch (const task_cancelled&) {
      ++cancelled;
    }
    stopper.join();
  }
  CHECK(values + cancelled == 2000);
}

TEST_CASE("cancelling a coroutine at a random moment ends it once, whatever it waits for") {
  std::atomic<int> unwound{0};
  toy_runtime rt;
  struct mark {
    std::atomic<int>* count;
    ~mark() { ++*count; }
  };
  const auto body = [&unwound](unsigned seed) -> task<int> {
    const mark at_end{&unwound};
    std::mt19937 random(seed);
    for (int step = 0; step < 4; ++step) {
      switch (random() % 4) {
        case 0:
          co_await sleep_for(std::chrono::microseconds(random() % 60));
          break;
        case 1: {
          auto child = submit(threads, [] { return 1; });
          co_await std::move(child);
          break;
        }
        case 2: {
          auto child = submit(loop, []() -> task<void> { co_await sleep_for(10us); });
          co_await std::move(child);
          break;
        }
        default:
          co_await resume_on(random() % 2 == 0 ? executor_kind::loop : executor_kind::threads);
          break;
      }
    }
    co_return 1;
  };
  std::mt19937 random(5);
  int ended = 0;
  constexpr int rounds = 1500;
  for (int round = 0; round < rounds; ++round) {
    auto victim = rt.submit(round % 2 == 0 ? executor_kind::loop : executor_kind::threads, body,
                            static_cast<unsigned>(round));
    waste(random() % 3000);
    victim.cancel();
    try {
      ended += victim.get();
    } catch (const task_cancelled&) {
      ++ended;
    }
  }
  CHECK(ended == rounds);
  CHECK(rt.shutdown(shutdown_mode::drain));
  CHECK(unwound <= rounds);  // those that were cancelled in the queue made no frame
}
