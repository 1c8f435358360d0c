#include <brigade/work/sleep.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include <brigade/work/context.hpp>

#include "toy_executor.hpp"

using namespace brigade;
using namespace std::chrono_literals;
using brigade::testing::barrier_gate;
using brigade::testing::toy_runtime;

TEST_CASE("a sleep lasts at least as long as asked, and gives the worker back") {
  toy_runtime rt({}, {}, 1);
  const auto begin = std::chrono::steady_clock::now();
  std::vector<future<std::chrono::steady_clock::time_point>> sleepers;
  for (int each = 0; each < 50; ++each) {
    sleepers.push_back(rt.submit(threads, []() -> task<std::chrono::steady_clock::time_point> {
      co_await sleep_for(20ms);
      co_return std::chrono::steady_clock::now();
    }));
  }
  for (auto& each : sleepers) CHECK(each.get() >= begin + 20ms);
}

TEST_CASE("a sleep until a time that has passed ends at once") {
  toy_runtime rt;
  auto answer = rt.submit(threads, []() -> task<int> {
    co_await sleep_until(std::chrono::steady_clock::time_point::min());
    co_await sleep_for(-1s);
    co_return 1;
  });
  CHECK(answer.get() == 1);
}

TEST_CASE("yielding lets the tasks that wait go first") {
  std::string order;  // one worker: no race
  barrier_gate door;
  toy_runtime rt({}, {}, 1);
  rt.post(threads, [&door] { door.pass(); });
  auto polite = rt.submit(threads, [&order]() -> task<void> {
    order += 'a';
    co_await yield_now();
    order += 'c';
  });
  auto other = rt.submit(threads, [&order] { order += 'b'; });
  door.open();
  polite.get();
  other.get();
  CHECK(order == "abc");
}

TEST_CASE("a task resumes where it was submitted, until it moves") {
  std::vector<std::optional<executor_kind>> kinds;
  std::vector<int> tids;
  toy_runtime rt;
  const auto note = [&] {
    kinds.push_back(current().executor);
    tids.push_back(current().tid);
  };
  auto wanderer = rt.submit(threads, [&]() -> task<void> {
    co_await sleep_for(1ms);
    note();
    co_await resume_on(loop);
    note();
    auto there = submit(loop, [] { return current().tid; });
    tids.push_back(co_await std::move(there));
    co_await sleep_for(1ms);
    note();
  });
  wanderer.get();
  CHECK(kinds == std::vector<std::optional<executor_kind>>{executor_kind::threads,
                                                           executor_kind::loop,
                                                           executor_kind::loop});
  REQUIRE(tids.size() == 4);
  CHECK(tids[0] != tids[1]);
  CHECK(tids[1] == tids[2]);  // loop has one thread
  CHECK(tids[1] == tids[3]);
}

TEST_CASE("a running task cannot move to processes") {
  toy_runtime rt;
  auto stays = rt.submit(threads, []() -> task<void> { co_await resume_on(processes); });
  CHECK_THROWS_AS(stays.get(), not_transportable);
}

TEST_CASE("a task that was cancelled while it slept ends at once") {
  toy_runtime rt;
  auto sleeper = rt.submit(threads, []() -> task<void> { co_await sleep_for(1h); });
  CHECK(sleeper.cancel());
  CHECK_THROWS_AS(sleeper.get(), task_cancelled);
}
