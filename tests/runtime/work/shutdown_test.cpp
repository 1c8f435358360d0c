#include <brigade/work/dispatcher.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include <brigade/work/sleep.hpp>

#include "toy_executor.hpp"

using namespace brigade;
using namespace std::chrono_literals;
using brigade::testing::barrier_gate;
using brigade::testing::toy_runtime;

TEST_CASE("draining runs what was submitted, also what tasks submit meanwhile") {
  std::atomic<int> ran{0};
  {
    toy_runtime rt;
    for (int each = 0; each < 20; ++each) {
      rt.post(threads, [&ran] {
        ++ran;
        post(loop, [&ran]() -> task<void> {
          ++ran;
          co_await sleep_for(1ms);
          post(threads, [&ran] { ++ran; });
        });
      });
    }
  }
  CHECK(ran == 60);
}

TEST_CASE("draining asks endless tasks to stop, running or queued") {
  std::atomic<bool> busy{false};
  toy_runtime rt({}, {}, 1);
  const auto forever = [&busy](std::stop_token stop) {
    busy = true;
    busy.notify_all();
    while (!stop.stop_requested()) std::this_thread::yield();
    return 1;
  };
  auto running = rt.submit({.endless = true}, forever);
  auto queued = rt.submit({.endless = true}, forever);
  auto sleeping = rt.submit({.on = loop, .endless = true}, []() -> task<void> {
    for (;;) co_await sleep_for(1h);
  });
  busy.wait(false);
  CHECK(rt.shutdown(shutdown_mode::drain));
  CHECK(running.get() == 1);
  CHECK(queued.get() == 1);
  CHECK_THROWS_AS(sleeping.get(), task_cancelled);
}

TEST_CASE("cancel_pending cancels what is queued and lets the rest end by itself") {
  barrier_gate door;
  std::atomic<bool> busy{false};
  toy_runtime rt({}, {}, 1);
  auto running = rt.submit(threads, [&](std::stop_token stop) {
    busy = true;
    busy.notify_all();
    door.pass();
    return stop.stop_requested();
  });
  busy.wait(false);
  auto queued = rt.submit(threads, [] { FAIL("it ran"); });
  CHECK_FALSE(rt.shutdown(shutdown_mode::cancel_pending, 0ns));
  door.open();
  CHECK(rt.shutdown(shutdown_mode::cancel_pending));
  CHECK_FALSE(running.get());
  CHECK_THROWS_AS(queued.get(), task_cancelled);
}

TEST_CASE("kill asks running tasks to stop as well") {
  std::atomic<bool> busy{false};
  toy_runtime rt;
  auto running = rt.submit(threads, [&busy](std::stop_token stop) {
    busy = true;
    busy.notify_all();
    while (!stop.stop_requested()) std::this_thread::yield();
    return 8;
  });
  auto sleeping = rt.submit(loop, []() -> task<void> { co_await sleep_for(1h); });
  busy.wait(false);
  CHECK(rt.shutdown(shutdown_mode::kill));
  CHECK(running.get() == 8);
  CHECK_THROWS_AS(sleeping.get(), task_cancelled);
}

TEST_CASE("a limit is kept, and a stronger mode may follow") {
  toy_runtime rt;
  auto sleeping = rt.submit(loop, []() -> task<void> { co_await sleep_for(1h); });
  while (sleeping.stats().started.time_since_epoch().count() == 0) std::this_thread::yield();
  CHECK_FALSE(rt.shutdown(shutdown_mode::drain, 2ms));
  CHECK_FALSE(rt.shutdown(shutdown_mode::cancel_pending, 2ms));
  CHECK(rt.shutdown(shutdown_mode::kill));
  CHECK(rt.shutdown(shutdown_mode::kill));
  CHECK(rt.shutdown(shutdown_mode::drain, 0ns));
  CHECK_THROWS_AS(sleeping.get(), task_cancelled);
}

TEST_CASE("after shutdown every submission throws runtime_stopped") {
  toy_runtime rt;
  CHECK(rt.shutdown(shutdown_mode::drain));
  CHECK_THROWS_AS(rt.post(threads, [] {}), runtime_stopped);
  CHECK_THROWS_AS(rt.post({.on = loop, .name = "late", .deadline = 1s}, [] {}), runtime_stopped);
}

TEST_CASE("a worker that shuts down its own runtime gets would_deadlock") {
  toy_runtime rt;
  auto suicidal = rt.submit(threads, [&rt] { rt.shutdown(shutdown_mode::drain); });
  CHECK_THROWS_AS(suicidal.get(), would_deadlock);
  CHECK(rt.submit(threads, [] { return 1; }).get() == 1);
}

TEST_CASE("a destructor on a worker is called one") {
  toy_runtime rt;
  auto suicidal = rt.submit(threads, [&rt] { rt.target().before_end(); });
  try {
    suicidal.get();
    FAIL("it waited for itself");
  } catch (const would_deadlock& error) {
    CHECK(std::string(error.what()).starts_with("the destructor of a runtime ran on one of its"));
  }
}

TEST_CASE("several threads may shut down at once") {
  toy_runtime rt;
  for (int each = 0; each < 50; ++each) rt.post(threads, [] {});
  std::atomic<int> done{0};
  {
    std::vector<std::jthread> callers;
    for (int each = 0; each < 4; ++each) {
      callers.emplace_back([&] { done += rt.shutdown(shutdown_mode::drain) ? 1 : 0; });
    }
  }
  CHECK(done == 4);
}

TEST_CASE("submissions that race with a shutdown are either refused or completed") {
  for (int round = 0; round < 100; ++round) {
    std::atomic<int> accepted{0};
    std::atomic<int> ended{0};
    {
      std::atomic<bool> refused{false};
      toy_runtime rt;
      std::jthread submitter([&] {
        try {
          for (;;) {
            rt.post(threads, [&ended] { ++ended; });
            ++accepted;
          }
        } catch (const runtime_stopped&) {
          refused = true;
        }
      });
      while (accepted < 10) std::this_thread::yield();
      CHECK(rt.shutdown(shutdown_mode::drain));
    }
    CHECK(accepted == ended);
  }
}
