#include "contract.hpp"
#include "support/eventually.hpp"

#include <atomic>
#include <stdexcept>
#include <thread>
#include <vector>

using namespace contract;

namespace {

bg::runtime_options small_queue(bg::when_full policy) {
  bg::runtime_options options = one_worker();
  options.loop.max_pending = options.threads.max_pending = options.processes.max_pending = 2;
  options.loop.when_full = options.threads.when_full = options.processes.when_full = policy;
  return options;
}

// A runtime whose executor is busy and whose queue is full.
struct full {
  full(bg::executor_kind kind, bg::when_full policy) : rt(small_queue(policy)) {
    blocker = rt.submit(kind, until_stopped);
    REQUIRE(await_started(blocker));
    for (int i = 0; i < 2; ++i) queued.push_back(rt.submit(kind, square, i));
  }
  void release() {
    blocker.cancel();
    CHECK(blocker.get() == 7);
  }
  bg::runtime rt;
  bg::future<int> blocker;
  std::vector<bg::future<int>> queued;
};

}  // namespace

TEST_CASE_TEMPLATE("a full queue throws when it is told to", Where, CONTRACT_EACH) {
  full crowded(Where::kind, bg::when_full::fail);
  try {
    static_cast<void>(crowded.rt.submit(Where::where(), square, 9));
    FAIL("it was taken");
  } catch (const bg::queue_full& error) {
    CHECK(std::string(error.what()).find("2 tasks wait in its queue already") != std::string::npos);
  }
  CHECK(crowded.rt.stats(Where::kind).queued == 2);
  crowded.release();
  CHECK(crowded.queued[1].get() == 1);
  CHECK(crowded.rt.submit(Where::where(), square, 9).get() == 81);
}

TEST_CASE_TEMPLATE("one submission may throw where the others wait", Where, CONTRACT_EACH) {
  full crowded(Where::kind, bg::when_full::wait);
  CHECK_THROWS_AS(static_cast<void>(crowded.rt.submit(
                      {.on = Where::kind, .when_full = bg::when_full::fail}, square, 9)),
                  bg::queue_full);
  crowded.release();
}

TEST_CASE_TEMPLATE("a full queue makes the submitter wait", Where, CONTRACT_EACH) {
  full crowded(Where::kind, bg::when_full::wait);
  std::atomic<bool> submitted{false};
  bg::future<int> late;
  std::thread submitter([&] {
    late = crowded.rt.submit(Where::where(), square, 9);
    submitted = true;
  });
  CHECK_FALSE(submitted);
  crowded.release();
  submitter.join();
  CHECK(late.get() == 81);
}

TEST_CASE_TEMPLATE("a full queue suspends a task that submits with submit_async", Where,
                   CONTRACT_EACH) {
  full crowded(Where::kind, bg::when_full::wait);
  // It waits on another executor than the full one.
  const bg::executor_kind elsewhere =
      Where::kind == bg::executor_kind::loop ? bg::executor_kind::threads : bg::executor_kind::loop;
  auto waiting = crowded.rt.submit(elsewhere, [](bg::executor_kind where) -> bg::task<int> {
    bg::future<int> inner = co_await bg::submit_async(where, square, 9);
    co_return co_await std::move(inner);
  }, Where::kind);
  REQUIRE(await_started(waiting));
  CHECK(waiting.wait_for(1ms) == std::future_status::timeout);
  crowded.release();
  CHECK(waiting.get() == 81);
}

TEST_CASE_TEMPLATE("a task that waits for room can be cancelled", Where, CONTRACT_EACH) {
  full crowded(Where::kind, bg::when_full::wait);
  const bg::executor_kind elsewhere =
      Where::kind == bg::executor_kind::loop ? bg::executor_kind::threads : bg::executor_kind::loop;
  auto waiting = crowded.rt.submit(elsewhere, [](bg::executor_kind where) -> bg::task<int> {
    bg::future<int> inner = co_await bg::submit_async(where, square, 9);
    co_return co_await std::move(inner);
  }, Where::kind);
  REQUIRE(await_started(waiting));
  waiting.cancel();
  CHECK_THROWS_AS(waiting.get(), bg::task_cancelled);
  crowded.release();
}

TEST_CASE_TEMPLATE("cancelling a queued task makes room", Where, CONTRACT_EACH) {
  full crowded(Where::kind, bg::when_full::fail);
  CHECK(crowded.queued.front().cancel());
  bg::future<int> next = crowded.rt.submit(Where::where(), square, 5);
  crowded.release();
  CHECK(next.get() == 25);
}

TEST_CASE("a large queue has all its places for those who stay, whoever else has posted") {
  constexpr std::size_t places = 16384;  // from here on threads keep some places at hand
  for (const bg::executor_kind kind : {bg::executor_kind::loop, bg::executor_kind::threads}) {
    CAPTURE(bg::to_string(kind));
    bg::runtime_options options = small_queue(bg::when_full::fail);
    options.loop.max_pending = options.threads.max_pending = places;
    options.loop.blocked_after = std::chrono::hours(1);
    bg::runtime rt(options);
    std::atomic<std::size_t> ran{0};
    const auto count = [&ran] { ++ran; };
    rt.post(kind, count);
    REQUIRE(bg::testing::eventually([&] { return ran.load() == 1; }));
    bg::future<int> blocker = rt.submit(kind, until_stopped);
    REQUIRE(await_started(blocker));
    std::size_t refused = 0;
    const auto post = [&] {
      try {
        rt.post(kind, count);
      } catch (const bg::queue_full&) {
        ++refused;
      }
    };
    for (std::size_t posted = 0; posted < places; ++posted) {
      if (posted < 16) {
        std::thread(post).join();
      } else {
        post();
      }
    }
    CHECK(refused == 0);
    CHECK(rt.stats(kind).queued == places);
    CHECK_THROWS_AS(rt.post(kind, count), bg::queue_full);
    blocker.cancel();
    CHECK(blocker.get() == 7);
    rt.shutdown();
    CHECK(ran.load() == places + 1);
  }
}

TEST_CASE("sizes that cannot work are refused when the runtime is made") {
  bg::runtime_options options;
  options.loop.max_pending = 0;
  CHECK_THROWS_AS(bg::runtime{options}, std::invalid_argument);
  options = {};
  options.threads.workers = static_cast<unsigned>(-3);
  CHECK_THROWS_AS(bg::runtime{options}, std::invalid_argument);
  options = {};
  options.processes.workers = static_cast<unsigned>(-3);
  CHECK_THROWS_AS(bg::runtime{options}, std::invalid_argument);
}

TEST_CASE("a worker of the full executor is not made to wait for itself") {
  for (const bg::executor_kind kind : {bg::executor_kind::loop, bg::executor_kind::threads}) {
    CAPTURE(bg::to_string(kind));
    bg::runtime rt(small_queue(bg::when_full::wait));
    auto outer = rt.submit(kind, [](bg::executor_kind where) {
      std::vector<bg::future<int>> inner;
      for (int i = 0; i < 3; ++i) inner.push_back(bg::submit(where, square, i));
      bool refused = false;
      try {
        inner.back().get();
      } catch (const bg::would_deadlock&) {
        refused = true;
      }
      return refused;
    }, kind);
    CHECK(outer.get());
  }
}

TEST_CASE_TEMPLATE("tasks of a higher priority are taken first", Where, CONTRACT_EACH) {
  bg::runtime rt(one_worker());
  auto blocker = rt.submit(Where::where(), until_stopped);
  REQUIRE(await_started(blocker));
  auto low = rt.submit({.on = Where::kind, .priority = bg::priority::low}, square, 1);
  auto normal = rt.submit({.on = Where::kind}, square, 2);
  auto high = rt.submit({.on = Where::kind, .priority = bg::priority::high}, square, 3);
  blocker.cancel();
  low.wait();
  normal.wait();
  high.wait();
  CHECK(high.stats().started <= normal.stats().started);
  CHECK(normal.stats().started <= low.stats().started);
}
