#include "contract.hpp"

#include <stdexcept>
#include <vector>

using namespace contract;

TEST_CASE_TEMPLATE("a task cancelled in the queue never runs and is no longer counted", Where,
                   CONTRACT_ALL) {
  bg::runtime rt(one_worker());
  auto blocker = rt.submit(Where::where(), until_stopped);
  REQUIRE(await_started(blocker));
  auto queued = rt.submit(Where::where(), square, 2);
  CHECK(rt.stats(Where::kind).queued == 1);
  CHECK(queued.cancel());
  CHECK(rt.stats(Where::kind).queued == 0);
  CHECK(queued.ready());
  CHECK_THROWS_AS(queued.get(), bg::task_cancelled);
  CHECK(blocker.cancel());
  CHECK(blocker.get() == 7);
  CHECK(rt.shutdown());
  CHECK(rt.stats(Where::kind).started == 1);
  CHECK(rt.stats(Where::kind).cancelled == 1);
}

TEST_CASE_TEMPLATE("what was cancelled in the queue is let go when the runtime ends at once", Where,
                   CONTRACT_EACH) {
  for (int round = 0; round < 20; ++round) {
    bg::runtime rt(one_worker());
    auto first = rt.submit(Where::where(), square, 1);
    std::vector<bg::future<int>> queued;
    for (int i = 0; i < 8; ++i)
      queued.push_back(rt.submit(Where::where(), square, i));
    for (bg::future<int>& each : queued)
      each.cancel();
    CHECK(first.wait_for(limit) == std::future_status::ready);
  }  // the leak check of the address sanitizer sees what is not let go
}

TEST_CASE_TEMPLATE("cancelling a running function signals its stop token", Where, CONTRACT_ALL) {
  bg::runtime rt(two_workers());
  auto running = rt.submit(Where::where(), until_stopped);
  REQUIRE(await_started(running));
  CHECK(running.cancel());
  CHECK(running.get() == 7);
}

TEST_CASE_TEMPLATE("cancelling a coroutine cancels its current wait", Where, CONTRACT_ALL) {
  bg::runtime rt(two_workers());
  auto waiting = rt.submit({.on = Where::where(), .name = "nap"}, sleep_for_ever);
  const std::uint64_t id = waiting.id();
  REQUIRE(await_started(waiting));
  CHECK(waiting.cancel());
  try {
    waiting.get();
    FAIL("it should have thrown");
  } catch (const bg::task_cancelled& error) {
    CHECK(error.task_name() == "nap");
    CHECK(error.task_id() == id);
    CHECK(error.executor() == Where::kind);
    CHECK(std::string(error.what()).starts_with(bg::describe(error.task())));
  }
}

TEST_CASE_TEMPLATE("cancelling what has ended does nothing", Where, CONTRACT_EACH) {
  bg::runtime rt(two_workers());
  auto ended = rt.submit(Where::where(), square, 2);
  ended.wait();
  CHECK(await_true([&] { return rt.stats(Where::kind).finished == 1; }));
  CHECK_FALSE(ended.cancel());
  CHECK(ended.get() == 4);
}

TEST_CASE_TEMPLATE("kill is by force on processes, and as cancel elsewhere", Where, CONTRACT_ALL) {
  bg::runtime rt(two_workers());
  auto running = rt.submit(Where::where(), until_stopped);
  REQUIRE(await_started(running));
  const bool killed = running.kill();
  CHECK(killed == (Where::kind == bg::executor_kind::processes));
  if (killed) {
    CHECK_THROWS_AS(running.get(), bg::task_cancelled);
  } else {
    CHECK(running.get() == 7);
  }
  CHECK(rt.submit(Where::where(), square, 4).get() == 16);
}

TEST_CASE_TEMPLATE("a stop token given to submit cancels in the queue and while running", Where,
                   CONTRACT_EACH) {
  bg::runtime rt(one_worker());
  std::stop_source stop;
  auto running = rt.submit({.on = Where::kind, .stop = stop.get_token()}, until_stopped);
  REQUIRE(await_started(running));
  auto queued = rt.submit({.on = Where::kind, .stop = stop.get_token()}, square, 2);
  stop.request_stop();
  CHECK_THROWS_AS(queued.get(), bg::task_cancelled);
  CHECK(running.get() == 7);
  auto too_late = rt.submit({.on = Where::kind, .stop = stop.get_token()}, square, 2);
  CHECK_THROWS_AS(too_late.get(), bg::task_cancelled);
}

TEST_CASE_TEMPLATE("a deadline passes while the task runs", Where, CONTRACT_ALL) {
  bg::runtime rt(two_workers());
  auto late = rt.submit({.on = Where::where(), .name = "slow", .deadline = 50ms}, until_stopped);
  CHECK_THROWS_AS(late.get(), bg::task_timeout);
  auto waiting = rt.submit({.on = Where::where(), .deadline = 50ms}, sleep_for_ever);
  CHECK_THROWS_AS(waiting.get(), bg::task_timeout);
  CHECK(rt.submit(Where::where(), square, 4).get() == 16);
}

TEST_CASE_TEMPLATE("a deadline passes in the queue", Where, CONTRACT_EACH) {
  bg::runtime rt(one_worker());
  auto blocker = rt.submit(Where::where(), until_stopped);
  REQUIRE(await_started(blocker));
  auto late = rt.submit({.on = Where::kind, .deadline = 20ms}, square, 2);
  auto stale = rt.submit({.on = Where::kind, .queue_deadline = 20ms}, square, 2);
  CHECK_THROWS_AS(late.get(), bg::task_timeout);
  CHECK_THROWS_AS(stale.get(), bg::task_timeout);
  CHECK(rt.stats(Where::kind).queued == 0);
  blocker.cancel();
  CHECK(blocker.get() == 7);
}

TEST_CASE_TEMPLATE("what is late before it is submitted never runs", Where, CONTRACT_EACH) {
  bg::runtime rt(two_workers());
  for (const auto after : {-1s, 0s}) {
    std::vector<bg::future<int>> late;
    for (int i = 0; i < 100; ++i) {  // a burst keeps the workers awake
      late.push_back(rt.submit({.on = Where::kind, .deadline = after}, square, i));
      late.push_back(rt.submit({.on = Where::kind, .queue_deadline = after}, square, i));
    }
    for (auto& each : late) {
      each.wait();
      CHECK(each.stats().started == std::chrono::steady_clock::time_point{});
      CHECK_THROWS_AS(each.get(), bg::task_timeout);
    }
  }
  CHECK(rt.submit(Where::where(), square, 4).get() == 16);
}

TEST_CASE_TEMPLATE("a queue deadline does not touch what has started", Where, CONTRACT_EACH) {
  bg::runtime rt(two_workers());
  auto running = rt.submit({.on = Where::kind, .queue_deadline = 1h}, until_stopped);
  REQUIRE(await_started(running));
  running.cancel();
  CHECK(running.get() == 7);
}

TEST_CASE_TEMPLATE("a deadline that is met changes nothing", Where, CONTRACT_EACH) {
  bg::runtime rt(two_workers());
  CHECK(rt.submit({.on = Where::kind, .deadline = 1h}, square, 4).get() == 16);
}
