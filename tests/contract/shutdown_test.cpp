#include "contract.hpp"

#include <atomic>
#include <optional>
#include <thread>
#include <vector>

using namespace contract;

TEST_CASE_TEMPLATE("draining runs everything that was submitted", Where, CONTRACT_EACH) {
  std::vector<bg::future<int>> futures;
  {
    bg::runtime rt(one_worker());
    for (int i = 0; i < 50; ++i) futures.push_back(rt.submit(Where::where(), square, i));
  }
  for (int i = 0; i < 50; ++i) CHECK(futures[static_cast<std::size_t>(i)].get() == i * i);
}

TEST_CASE_TEMPLATE("after shutdown nothing is taken", Where, CONTRACT_EACH) {
  bg::runtime rt(two_workers());
  CHECK(rt.submit(Where::where(), square, 2).get() == 4);
  CHECK(rt.shutdown());
  CHECK(rt.shutdown());
  CHECK_THROWS_AS(static_cast<void>(rt.submit(Where::where(), square, 2)), bg::runtime_stopped);
  CHECK(rt.shutdown(bg::shutdown_mode::kill));
}

TEST_CASE_TEMPLATE("whoever calls shutdown returns when all has ended", Where, CONTRACT_EACH) {
  using enum bg::shutdown_mode;
  for (int round = 0; round < 5; ++round) {
    std::atomic<int> living{0};
    bg::runtime_options options = two_workers();
    options.hooks.on_worker_start = [&](const bg::worker_info&) { ++living; };
    options.hooks.on_worker_stop = [&](const bg::worker_info&) {
      std::this_thread::sleep_for(5ms);  // no event: widens the moment in which it is too early
      --living;
    };
    bg::runtime rt(std::move(options));
    CHECK(rt.submit(Where::where(), square, 3).get() == 9);
    auto running = rt.submit(Where::where(), square_later, 3);
    std::atomic<int> early{0};
    std::vector<std::thread> callers;
    for (const auto mode : {drain, cancel_pending, kill, drain, kill}) {
      callers.emplace_back([&, mode] {
        if (!rt.shutdown(mode) || living != 0 || !rt.workers().empty()) ++early;
      });
    }
    for (std::thread& each : callers)
      each.join();
    CHECK(early == 0);
    CHECK(running.ready());
  }
}

TEST_CASE_TEMPLATE("cancel_pending cancels what is queued and lets the running end", Where,
                   CONTRACT_EACH) {
  bg::runtime rt(one_worker());
  auto running = rt.submit(Where::where(), until_stopped);
  REQUIRE(await_started(running));
  auto queued = rt.submit(Where::where(), square, 2);
  CHECK_FALSE(rt.shutdown(bg::shutdown_mode::cancel_pending, 1ms));
  CHECK(running.cancel());
  CHECK(running.get() == 7);
  CHECK_THROWS_AS(queued.get(), bg::task_cancelled);
  CHECK(rt.shutdown(bg::shutdown_mode::cancel_pending));
}

TEST_CASE_TEMPLATE("kill ends what can be ended", Where, CONTRACT_EACH) {
  bg::runtime rt(one_worker());
  auto running = rt.submit(Where::where(), until_stopped);
  REQUIRE(await_started(running));
  auto queued = rt.submit(Where::where(), square, 2);
  CHECK(rt.shutdown(bg::shutdown_mode::kill));
  CHECK_THROWS_AS(queued.get(), bg::task_cancelled);
  if (Where::kind == bg::executor_kind::processes) {
    CHECK_THROWS_AS(running.get(), bg::task_cancelled);
  } else {
    CHECK(running.get() == 7);
  }
}

TEST_CASE_TEMPLATE("draining asks endless tasks to stop", Where, CONTRACT_EACH) {
  bg::runtime rt(two_workers());
  auto endless = rt.submit({.on = Where::kind, .endless = true}, until_stopped);
  auto waiting = rt.submit({.on = Where::kind, .endless = true}, sleep_for_ever);
  auto ordinary = rt.submit(Where::where(), square_later, 3);
  CHECK(rt.shutdown());
  CHECK(endless.get() == 7);
  CHECK_THROWS_AS(waiting.get(), bg::task_cancelled);
  CHECK(ordinary.get() == 9);
}

TEST_CASE_TEMPLATE("a limit ends the waiting, not the tasks", Where, CONTRACT_EACH) {
  bg::runtime rt(two_workers());
  auto running = rt.submit(Where::where(), until_stopped);
  REQUIRE(await_started(running));
  CHECK_FALSE(rt.shutdown(bg::shutdown_mode::drain, 1ms));
  CHECK(running.cancel());
  CHECK(rt.shutdown(bg::shutdown_mode::drain));
  CHECK(running.get() == 7);
}

TEST_CASE("tasks may submit while the runtime drains") {
  std::optional<bg::runtime> rt(two_workers());
  auto outer = rt->submit(bg::loop, []() -> bg::task<int> {
    co_await bg::sleep_for(5ms);
    bg::future<int> inner = bg::submit(bg::threads, square, 6);
    co_return co_await std::move(inner);
  });
  rt.reset();
  CHECK(outer.get() == 36);
}

TEST_CASE("a worker cannot shut down its own runtime") {
  bg::runtime rt(two_workers());
  for (const bg::executor_kind kind : {bg::executor_kind::loop, bg::executor_kind::threads}) {
    auto asked = rt.submit(kind, [&rt] { return rt.shutdown(); });
    CHECK_THROWS_AS(asked.get(), bg::would_deadlock);
  }
}

TEST_CASE("the destructor says what it waits for when shutdown gave up") {
  std::atomic<bool> told{false};
  std::string name;
  bg::runtime_options options = one_worker();
  options.hooks.on_error = [&](const bg::task_identity& task, const std::exception_ptr& error) {
    name = task.name;
    CHECK_THROWS_AS(std::rethrow_exception(error), bg::task_timeout);
    told = true;
  };
  bg::future<void> stubborn;
  {
    bg::runtime rt(std::move(options));
    stubborn = rt.submit({.on = bg::threads, .name = "stubborn"}, [&told] {
      while (!told)
        std::this_thread::sleep_for(1ms);
    });
    REQUIRE(await_started(stubborn));
    CHECK_FALSE(rt.shutdown(bg::shutdown_mode::kill, 1ms));
  }
  CHECK(stubborn.ready());
  CHECK(name == "stubborn");
}

TEST_CASE("a runtime that never worked leaves nothing to do") {
  bg::runtime rt;
  CHECK(rt.workers().empty());
}
