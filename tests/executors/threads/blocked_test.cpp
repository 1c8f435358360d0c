// Blocking get() and wait() inside workers of the pool: helping, spare threads, the limit.
#include <brigade/threads/threads_executor.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include <brigade/work/combine.hpp>
#include <brigade/work/context.hpp>
#include <brigade/work/sleep.hpp>
#include <brigade/work/then.hpp>

#include "pool.hpp"
#include "support/eventually.hpp"

using namespace brigade;
using namespace std::chrono_literals;
using brigade::testing::barrier_gate;
using brigade::testing::eventually;
using brigade::testing::pool;

namespace {

int fibonacci(int n) {
  if (n < 2) return n;
  auto left = submit(threads, fibonacci, n - 1);
  auto right = submit(threads, fibonacci, n - 2);
  const int sum = left.get();
  return sum + right.get();
}

task<int> fibonacci_task(int n) {
  if (n < 2) co_return n;
  auto left = submit(threads, fibonacci_task, n - 1);
  auto right = submit(threads, fibonacci_task, n - 2);
  const int sum = n % 2 == 0 ? left.get() : co_await std::move(left);  // blocks or suspends
  co_return sum + right.get();
}

task<int> sleeps(std::chrono::milliseconds time) {
  co_await sleep_for(time);
  co_return 1;
}

}  // namespace

TEST_CASE("fork and join by blocking get works on any number of workers, also without spares") {
  for (const unsigned workers : {1U, 2U, 4U}) {
    for (const unsigned spares : {0U, 1U, 64U}) {
      CAPTURE(workers);
      CAPTURE(spares);
      pool rt({.workers = workers, .spare_limit = spares});
      CHECK(rt.submit(threads, fibonacci, 16).get() == 987);
    }
  }
}

TEST_CASE("so does a mix of blocking and suspending coroutines") {
  for (const unsigned workers : {1U, 2U}) {
    CAPTURE(workers);
    pool rt({.workers = workers});
    CHECK(rt.submit(threads, fibonacci_task, 14).get() == 377);
  }
}

TEST_CASE("a task that has not started runs on the worker that waits for it") {
  pool rt({.workers = 1, .spare_limit = 0});
  auto outer = rt.submit(threads, [] {
    const int mine = current().tid;
    auto inner = submit(threads, [] { return current().tid; });
    return inner.get() == mine;
  });
  CHECK(outer.get());
}

TEST_CASE("a coroutine that waits on top of a blocked worker is resumed, also without spares") {
  pool rt({.workers = 1, .spare_limit = 0});
  CHECK(rt.submit(threads, [] { return submit(threads, sleeps, 3ms).get(); }).get() == 1);
}

TEST_CASE("what the awaited coroutine waits for runs on the blocked worker as well") {
  pool rt({.workers = 1, .spare_limit = 0});
  auto outer = rt.submit(threads, [] {
    auto inner = submit(threads, []() -> task<int> {
      auto last = submit({.priority = priority::low}, [] { return 5; });
      co_await sleep_for(1ms);
      const int value = co_await std::move(last);
      co_return value + 1;
    });
    return inner.get();
  });
  CHECK(outer.get() == 6);
}

TEST_CASE("a spare thread keeps the pool going while a worker is blocked, and ends afterwards") {
  barrier_gate door;
  pool rt({.workers = 1});
  auto promised = rt.submit(loop, [&door] { door.pass(); return 2; });
  auto blocked = rt.submit(threads, [&promised] { return promised.get(); });
  auto others = rt.submit(threads, [] { return current().worker; });
  CHECK(others.get() == 1);  // by a spare: worker 0 is blocked
  CHECK(rt.crew.workers().size() == 2);
  CHECK(rt.crew.worker_count() == 1);
  door.open();
  CHECK(blocked.get() == 2);
  CHECK(eventually([&] { return rt.crew.workers().size() == 1; }));
  CHECK(rt.submit(threads, [] { return 3; }).get() == 3);
}

TEST_CASE("spares come and go many times") {
  pool rt({.workers = 2, .spare_limit = 3});
  for (int round = 0; round < 200; ++round) {
    barrier_gate door;
    auto promised = rt.submit(loop, [&door] { door.pass(); });
    auto first = rt.submit(threads, [&promised] { promised.wait(); });
    auto second = rt.submit(threads, [&door] { door.pass(); });
    auto opener = rt.submit(threads, [&door] { door.open(); });
    opener.get();
    first.get();
    second.get();
  }
}

TEST_CASE("a wait with a limit keeps it, though the task it waits for never starts") {
  pool rt({.workers = 1, .spare_limit = 0});
  auto outer = rt.submit(threads, [] {
    auto inner = submit(threads, [] { return 1; });
    const bool timed_out = inner.wait_for(5ms) == std::future_status::timeout;
    return timed_out && inner.get() == 1;
  });
  CHECK(outer.get());
}

TEST_CASE("a wait with a limit lets a spare run what it waits for") {
  pool rt({.workers = 1});
  auto outer = rt.submit(threads, [] {
    return submit(threads, [] {}).wait_for(60s) == std::future_status::ready;
  });
  CHECK(outer.get());
}

TEST_CASE("a task that waits for itself gets would_deadlock") {
  future<void> self;
  barrier_gate ready;
  pool rt({.workers = 2});
  self = rt.submit(threads, [&] {
    ready.pass();
    CHECK_THROWS_AS(self.wait(), would_deadlock);
  });
  ready.open();
  while (!self.ready()) std::this_thread::yield();
}

TEST_CASE("tasks that wait for each other in a circle get would_deadlock") {
  for (const unsigned workers : {1U, 2U, 3U}) {
    CAPTURE(workers);
    std::vector<future<int>> circle(3);
    barrier_gate ready;
    pool rt({.workers = workers});
    for (std::size_t at = 0; at < circle.size(); ++at) {
      circle[at] = rt.submit(threads, [&circle, &ready, at] {
        ready.pass();
        circle[(at + 1) % circle.size()].wait();
        return 1;
      });
    }
    ready.open();
    int deadlocks = 0;
    for (auto& each : circle) {
      while (!each.ready()) std::this_thread::yield();
    }
    for (auto& each : circle) {
      try {
        each.get();
      } catch (const would_deadlock&) {
        ++deadlocks;
      }
    }
    CHECK(deadlocks >= 1);
  }
}

TEST_CASE("a circle through a suspended coroutine is found too") {
  future<int> outer;
  barrier_gate ready;
  std::atomic<bool> found{false};
  pool rt({.workers = 1});  // the coroutine runs, and suspends, on top of the task that waits
  outer = rt.submit(threads, [&] {
    ready.pass();
    auto inner = submit(threads, [&]() -> task<int> { co_return co_await std::move(outer); });
    try {
      return inner.get();
    } catch (const would_deadlock&) {
      found = true;
      return -1;
    }
  });
  ready.open();
  CHECK(rt.core.shutdown(shutdown_mode::drain, std::nullopt));
  CHECK(found);
}

TEST_CASE("a circle over several stacks, with tasks on top of each other, is found") {
  hooks silent;
  silent.on_error = [](const task_identity&, std::exception_ptr) {};
  for (int round = 0; round < 300; ++round) {
    std::vector<future<int>> circle(5);
    std::atomic<int> deadlocks{0};
    barrier_gate ready;
    pool rt({.workers = 3}, silent);
    for (std::size_t at = 0; at < circle.size(); ++at) {
      circle[at] = rt.submit(threads, [&, at] {
        ready.pass();
        try {
          circle[(at + 1) % circle.size()].wait();
        } catch (const would_deadlock&) {
          ++deadlocks;
        }
        return 1;
      });
    }
    ready.open();
    CHECK(rt.core.shutdown(shutdown_mode::drain, std::nullopt));  // hangs when nobody notices
    CHECK(deadlocks > 0);
  }
}

TEST_CASE("at the limit of spare threads, with nothing left to run, a wait throws would_deadlock") {
  pool rt({.workers = 1, .spare_limit = 0});
  auto outer = rt.submit(threads, [] {
    std::vector<future<int>> parts;
    parts.push_back(submit(threads, [] { return 1; }));
    parts.push_back(submit(threads, [] { return 2; }));
    auto all = when_all(std::move(parts));  // what it needs is not known: it cannot be helped
    try {
      all.wait();
    } catch (const would_deadlock& error) {
      const std::string text = error.what();
      return text.find("spare_limit") != std::string::npos;
    }
    return false;
  });
  CHECK(outer.get());
}

TEST_CASE("one spare is enough for a combination of futures") {
  pool rt({.workers = 1, .spare_limit = 1});
  auto outer = rt.submit(threads, [] {
    std::vector<future<int>> parts;
    parts.push_back(submit(threads, [] { return 1; }));
    parts.push_back(submit(threads, [] { return 2; }));
    const std::vector<int> values = when_all(std::move(parts)).get();
    return values.size();
  });
  CHECK(outer.get() == 2);
}

TEST_CASE("a long chain of waits uses several stacks, and the limit before it uses too many") {
  pool rt({.workers = 1, .spare_limit = 64});
  struct chain {
    int operator()(int rest) const {
      if (rest == 0) return 0;
      return submit(threads, chain{}, rest - 1).get() + 1;
    }
  };
  CHECK(rt.submit(threads, chain{}, 3000).get() == 3000);
  hooks silent;  // tasks below the one that gives up are dropped, and fail too
  silent.on_error = [](const task_identity&, std::exception_ptr) {};
  pool narrow({.workers = 1, .spare_limit = 1}, silent);
  CHECK_THROWS_AS(narrow.submit(threads, chain{}, 3000).get(), would_deadlock);
}

TEST_CASE("a continuation that waits for its source is not run before it") {
  pool rt({.workers = 1});
  auto outer = rt.submit(threads, [] {
    auto source = submit(loop, [] {
      std::this_thread::sleep_for(2ms);
      return 4;
    });
    return std::move(source).then(threads, [](int value) { return value + 1; }).get();
  });
  CHECK(outer.get() == 5);
}

TEST_CASE("a blocked worker lets go when its runtime is told to cancel what is queued") {
  std::atomic<bool> busy{false};
  barrier_gate door;
  pool rt({.workers = 1, .spare_limit = 0});
  auto outer = rt.submit(threads, [&] {
    auto inner = submit(threads, [] { return 1; });
    busy = true;
    busy.notify_all();
    door.pass();
    return inner.get();
  });
  busy.wait(false);
  CHECK_FALSE(rt.core.shutdown(shutdown_mode::cancel_pending, 0ns));
  door.open();
  CHECK_THROWS_AS(outer.get(), task_cancelled);
}

TEST_CASE("waits for other executors, timed and untimed, mixed with everything else, all end") {
  pool rt({.workers = 2, .spare_limit = 8});
  std::vector<future<int>> all;
  for (int at = 0; at < 300; ++at) {
    all.push_back(rt.submit(threads, [at] {
      switch (at % 5) {
        case 0:
          return submit(loop, [] { return 1; }).get();
        case 1:
          return submit(threads, sleeps, 1ms).get();
        case 2: {
          auto quick = submit(threads, [] { return 1; });
          static_cast<void>(quick.wait_for(1ms));
          return quick.get();
        }
        case 3:
          return submit(threads, [] { return submit(loop, sleeps, 1ms).get(); }).get();
        default:
          return fibonacci(7) - 12;
      }
    }));
  }
  for (auto& each : all) CHECK(each.get() == 1);
}
