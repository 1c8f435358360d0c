#include <brigade/work/gate.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "support/eventually.hpp"
#include "toy_executor.hpp"

using namespace brigade;
using brigade::testing::barrier_gate;
using brigade::testing::eventually;
using brigade::testing::toy_runtime;
using detail::gate;

namespace {

struct counting : gate::waiter {
  counting() {
    admit = [](gate::waiter& self) noexcept { ++static_cast<counting&>(self).admitted; };
  }
  std::atomic<int> admitted{0};
};

}  // namespace

TEST_CASE("a gate has so many places and no more") {
  gate entrance(2);
  CHECK(entrance.try_enter());
  CHECK(entrance.try_enter());
  CHECK_FALSE(entrance.try_enter());
  CHECK(entrance.inside() == 2);
  entrance.leave();
  CHECK(entrance.enter());
}

TEST_CASE("those who wait without a thread are admitted in order, one for each place") {
  gate entrance(1);
  CHECK(entrance.try_enter());
  counting first;
  counting second;
  CHECK_FALSE(entrance.enter_or_register(first));
  CHECK_FALSE(entrance.enter_or_register(second));
  entrance.leave();
  CHECK(first.admitted == 1);
  CHECK(second.admitted == 0);
  CHECK_FALSE(entrance.withdraw(first));
  CHECK(entrance.withdraw(second));
  entrance.leave();
  CHECK(second.admitted == 0);
  CHECK(entrance.inside() == 0);
}

TEST_CASE("closing wakes everybody: threads give up, waiters find it closed") {
  gate entrance(0);
  counting waiter;
  CHECK_FALSE(entrance.enter_or_register(waiter));
  std::atomic<int> refused{0};
  std::vector<std::thread> blocked;
  for (int each = 0; each < 3; ++each) {
    blocked.emplace_back([&] { refused += entrance.enter() ? 0 : 1; });
  }
  entrance.close();
  for (std::thread& each : blocked) each.join();
  CHECK(refused == 3);
  CHECK(waiter.admitted == 1);
  CHECK(entrance.closed());
  CHECK_FALSE(entrance.enter());
}

TEST_CASE("nobody sleeps beside a free place") {
  gate entrance(2);
  std::atomic<int> inside{0};
  std::atomic<bool> crowded{false};
  std::vector<std::thread> guests;
  for (int each = 0; each < 6; ++each) {
    guests.emplace_back([&] {
      for (int round = 0; round < 2000; ++round) {
        if (!entrance.enter()) return;
        if (++inside > 2) crowded = true;
        --inside;
        entrance.leave();
      }
    });
  }
  for (std::thread& each : guests) each.join();  // hangs when a wake-up is lost
  CHECK_FALSE(crowded);
  CHECK(entrance.inside() == 0);
}

TEST_CASE("purses are for gates with many places, and those who wait get what lies in them") {
  CHECK(gate(1000).most_purses() == 0);
  constexpr std::size_t places = 16384;
  gate entrance(places);
  REQUIRE(entrance.most_purses() >= 2);
  gate::purse mine{0};
  for (std::size_t each = 0; each < places; ++each) REQUIRE(entrance.try_enter(&mine));
  CHECK_FALSE(entrance.try_enter(&mine));
  CHECK(entrance.inside() - mine == places);
  for (std::size_t each = 0; each < 1000; ++each) entrance.leave(&mine);
  CHECK(entrance.inside() - mine == places - 1000);

  counting waiter;
  while (entrance.try_enter()) {
  }
  CHECK_FALSE(entrance.enter_or_register(waiter));
  entrance.leave(&mine);  // gives up all that lies in the purse
  CHECK(waiter.admitted == 1);
  CHECK(mine == 0);
}

TEST_CASE("threads with a common purse get every place once") {
  constexpr std::size_t places = 16384;
  gate entrance(places);
  gate::purse ours{0};
  std::vector<std::thread> threads;
  for (int each = 0; each < 4; ++each) {
    threads.emplace_back([&] {
      for (std::size_t entered = 0; entered < places / 4;) {
        if (entrance.try_enter_together(ours)) {
          ++entered;
        } else {  // another one is about to put the last places into the purse
          std::this_thread::yield();
        }
      }
    });
  }
  for (std::thread& each : threads) each.join();
  CHECK_FALSE(entrance.try_enter_together(ours));
  CHECK(entrance.inside() == places);
  CHECK(ours == 0);
  entrance.leave(places);
  CHECK(entrance.try_enter_together(ours));
  CHECK(entrance.inside() - ours == 1);
}

TEST_CASE("a queue of a gate with purses lets everybody through") {
  constexpr std::size_t places = 16384;
  gate entrance(places);
  std::atomic<std::size_t> queued{0};
  std::atomic<bool> crowded{false};
  std::vector<std::thread> workers;
  std::atomic<std::size_t> left{200000};
  for (int each = 0; each < 3; ++each) {
    workers.emplace_back([&] {
      gate::purse mine{0};
      while (left != 0) {
        std::size_t seen = queued;
        if (seen == 0) std::this_thread::yield();
        if (seen == 0 || !queued.compare_exchange_weak(seen, seen - 1)) continue;
        --left;
        entrance.leave(&mine);
      }
    });
  }
  for (std::size_t each = 200000; each > 0; --each) {
    REQUIRE(entrance.enter());  // hangs when places are forgotten
    if (++queued > places) crowded = true;
  }
  for (std::thread& each : workers) each.join();
  CHECK_FALSE(crowded);
}

TEST_CASE("a full queue refuses, blocks or suspends, as asked") {
  barrier_gate door;
  std::atomic<bool> busy{false};
  toy_runtime rt({}, {.max_pending = 1}, 1);
  auto running = rt.submit(threads, [&] { busy = true; busy.notify_all(); door.pass(); });
  busy.wait(false);
  auto queued = rt.submit(threads, [] { return 1; });
  CHECK_THROWS_AS(rt.post({.when_full = when_full::fail}, [] {}), queue_full);

  std::atomic<bool> entered{false};
  std::thread outsider([&] {
    rt.post(threads, [] {});
    entered = true;
  });
  auto patient = rt.submit(loop, []() -> task<int> {
    future<int> later = co_await submit_async(threads, [] { return 3; });
    co_return co_await std::move(later);
  });
  CHECK(patient.wait_for(std::chrono::milliseconds(5)) == std::future_status::timeout);
  CHECK_FALSE(entered);
  door.open();
  outsider.join();
  CHECK(patient.get() == 3);
  CHECK(queued.get() == 1);
}

TEST_CASE("a worker that would wait for room in its own queue gets would_deadlock") {
  toy_runtime rt({}, {.max_pending = 1}, 1);
  auto outer = rt.submit(threads, [] {
    auto first = submit(threads, [] { return 1; });
    auto second = submit(threads, [] { return 2; });  // the queue is full
    return second;
  });
  future<int> inner = outer.get();
  CHECK_THROWS_AS(inner.get(), would_deadlock);
}

TEST_CASE("a task that waits for room can be cancelled, and then takes no place") {
  barrier_gate door;
  std::atomic<bool> busy{false};
  toy_runtime rt({}, {.max_pending = 1}, 1);
  auto running = rt.submit(threads, [&] { busy = true; busy.notify_all(); door.pass(); });
  busy.wait(false);
  auto queued = rt.submit(threads, [] {});
  auto patient = rt.submit(loop, []() -> task<void> {
    static_cast<void>(co_await submit_async(threads, [] {}));
  });
  CHECK(eventually([&] { return patient.stats().started.time_since_epoch().count() != 0; }));
  patient.cancel();
  CHECK_THROWS_AS(patient.get(), task_cancelled);
  CHECK(rt.stats(executor_kind::threads).queued == 1);
  door.open();
}

TEST_CASE("shutting down releases those who wait for room with runtime_stopped") {
  barrier_gate door;
  std::atomic<bool> busy{false};
  toy_runtime rt({}, {.max_pending = 1}, 1);
  auto running = rt.submit(threads, [&] { busy = true; busy.notify_all(); door.pass(); });
  busy.wait(false);
  auto queued = rt.submit(threads, [] {});
  std::atomic<bool> refused{false};
  std::thread outsider([&] {
    try {
      rt.post(threads, [] {});
    } catch (const runtime_stopped&) {
      refused = true;
    }
  });
  auto patient = rt.submit(loop, []() -> task<void> {
    static_cast<void>(co_await submit_async(threads, [] {}));
  });
  CHECK(eventually([&] { return patient.stats().started.time_since_epoch().count() != 0; }));
  CHECK_FALSE(rt.shutdown(shutdown_mode::cancel_pending, std::chrono::milliseconds(2)));
  outsider.join();
  CHECK(refused);
  CHECK_THROWS_AS(patient.get(), runtime_stopped);
  door.open();
  CHECK_THROWS_AS(queued.get(), task_cancelled);
}
