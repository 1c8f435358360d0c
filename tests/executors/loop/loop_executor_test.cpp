#include <brigade/loop/loop_executor.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <limits>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <brigade/os/cpu.hpp>
#include <brigade/os/thread.hpp>

#include "executors/reactor/small_runtime.hpp"
#include "support/eventually.hpp"

using namespace brigade;
using namespace std::chrono_literals;
using brigade::testing::eventually;
using brigade::testing::occupied_loop;
using brigade::testing::small_runtime;
using steady = std::chrono::steady_clock;

TEST_CASE("the thread starts with the first task and says who it is") {
  small_runtime rt({.name = "waiter"});
  CHECK(rt.event_loop.worker_count() == 1);
  CHECK(rt.event_loop.workers().empty());
  CHECK(rt.core.stats(executor_kind::loop).workers_started == 0);
  CHECK(rt.submit(loop, [] { return os::thread_name(); }).get() == "waiter");
  const current_task inside = rt.submit(loop, [] { return current(); }).get();
  CHECK(inside.executor == executor_kind::loop);
  CHECK(inside.worker == 0);
  const std::vector<worker_info> workers = rt.event_loop.workers();
  REQUIRE(workers.size() == 1);
  CHECK(workers[0].name == "waiter");
  CHECK(workers[0].tid == inside.tid);
  CHECK(rt.core.stats(executor_kind::loop).workers_started == 1);
}

TEST_CASE("the hooks are called on the thread, at its start and at its end") {
  std::vector<std::string> calls;
  hooks told;
  told.on_worker_start = [&calls](const worker_info& info) {
    if (info.executor == executor_kind::loop && info.tid == os::thread_id()) {
      calls.push_back("start");
    }
  };
  told.on_worker_stop = [&calls](const worker_info& info) {
    if (info.executor == executor_kind::loop && info.tid == os::thread_id()) {
      calls.push_back("stop");
      throw std::runtime_error("a hook may fail");
    }
  };
  std::atomic<int> reports{0};
  told.on_error = [&reports](const task_identity&, std::exception_ptr) { ++reports; };
  {
    small_runtime rt({}, told);
    rt.submit(loop, [] {}).get();
  }
  CHECK(calls == std::vector<std::string>{"start", "stop"});
  CHECK(reports == 1);
}

TEST_CASE("the thread can be pinned to a CPU, to none that the process may not use") {
  const std::vector<unsigned> allowed = os::allowed_cpus();
  {
    small_runtime rt({.cpu = allowed.back()});
    CHECK(rt.submit(loop, [] { return os::allowed_cpus(); }).get() ==
          std::vector<unsigned>{allowed.back()});
  }
  detail::dispatcher core({}, {});
  CHECK_THROWS_AS(detail::loop_executor({.cpu = std::numeric_limits<unsigned>::max()}, core),
                  std::invalid_argument);
}

TEST_CASE("a runtime that never used its loop ends without a thread having been there") {
  small_runtime rt;
  CHECK(rt.submit(threads, [] { return 1; }).get() == 1);
  rt.end(shutdown_mode::drain);
  CHECK(rt.core.stats(executor_kind::loop).workers_started == 0);
}

TEST_CASE("tasks of several threads all run, in order for each thread") {
  small_runtime rt;
  constexpr int posters = 3;
  constexpr int each = 5000;
  std::vector<std::vector<int>> seen(posters);
  std::vector<std::thread> threads;
  for (int poster = 0; poster < posters; ++poster) {
    threads.emplace_back([&rt, &mine = seen[static_cast<std::size_t>(poster)]] {
      for (int i = 0; i < each - 1; ++i) rt.post(loop, [&mine, i] { mine.push_back(i); });
      rt.submit(loop, [&mine] { mine.push_back(each - 1); }).get();
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::vector<int>& mine : seen) {
    REQUIRE(mine.size() == each);
    bool ordered = true;
    for (int i = 0; i < each; ++i) ordered = ordered && mine[static_cast<std::size_t>(i)] == i;
    CHECK(ordered);
  }
}

TEST_CASE("sleeps end in the order of their deadlines and never early") {
  std::vector<int> order;
  small_runtime rt;
  const auto sleeper = [](std::vector<int>* to, int mark) -> task<bool> {
    const auto until = steady::now() + std::chrono::milliseconds(mark);
    co_await sleep_until(until);
    to->push_back(mark);
    co_return steady::now() >= until;
  };
  std::vector<future<bool>> sleeping;
  for (const int mark : {90, 30, 60, 1}) sleeping.push_back(rt.submit(loop, sleeper, &order, mark));
  for (auto& each : sleeping) CHECK(each.get());
  CHECK(order == std::vector<int>{1, 30, 60, 90});
}

TEST_CASE("a hundred thousand tasks sleep at once on the one thread") {
  small_runtime rt;
  constexpr int many = 100000;
  std::vector<future<int>> sleeping;
  sleeping.reserve(many);
  for (int i = 0; i < many; ++i) {
    sleeping.push_back(rt.submit(loop, [](int mark) -> task<int> {
      co_await sleep_for(std::chrono::milliseconds(100 + mark % 100));
      co_return mark;
    }, i));
  }
  long sum = 0;
  for (auto& each : sleeping) sum += each.get();
  CHECK(sum == long{many} * (many - 1) / 2);
}

TEST_CASE("sleeps are cancelled from other threads, at any moment") {
  small_runtime rt;
  int cancelled = 0;
  for (int round = 0; round < 3000; ++round) {
    const auto time = round % 2 == 0 ? std::chrono::microseconds(1h) : 20us;
    auto sleeping = rt.submit(loop, [time]() -> task<void> { co_await sleep_for(time); });
    for (std::atomic<int> step = 0; step < round % 500 * 8;) ++step;
    sleeping.cancel();
    try {
      sleeping.get();
    } catch (const task_cancelled&) {
      ++cancelled;
    }
  }
  CHECK(cancelled >= 1500);
}

TEST_CASE("a coroutine that moves between executors while it is cancelled ends once") {
  small_runtime rt;
  const auto wander = []() -> task<void> {
    for (;;) {
      co_await resume_on(threads);
      co_await sleep_for(10us);
      co_await resume_on(loop);
      co_await sleep_for(10us);
    }
  };
  for (int round = 0; round < 500; ++round) {
    auto wandering = rt.submit(brigade::testing::both[round % 2], wander);
    for (std::atomic<int> step = 0; step < round * 20;) ++step;
    wandering.cancel();
    CHECK_THROWS_AS(wandering.get(), task_cancelled);
  }
}

TEST_CASE("a blocking get on the loop for something that needs the loop would deadlock") {
  small_runtime rt;
  auto waits = rt.submit(loop, [] { return submit(loop, [] { return 1; }).get(); });
  CHECK_THROWS_AS(waits.get(), would_deadlock);
  // For another executor's task it only blocks.
  CHECK(rt.submit(loop, [] { return submit(threads, [] { return 2; }).get(); }).get() == 2);
}

TEST_CASE("queued tasks are discarded when the runtime is told to, the running one ends itself") {
  std::promise<void> entered;
  std::promise<void> leave;
  small_runtime rt;
  auto running = rt.submit(loop, [&] {
    entered.set_value();
    leave.get_future().wait();
    return 1;
  });
  entered.get_future().wait();
  auto witness = std::make_shared<int>(0);
  std::vector<future<void>> queued;
  for (int i = 0; i < 100; ++i) queued.push_back(rt.submit(loop, [witness] { ++*witness; }));
  std::thread ending([&rt] { rt.end(shutdown_mode::cancel_pending); });
  CHECK(eventually([&rt] { return rt.core.stopped(); }));
  std::this_thread::sleep_for(5ms);  // past the flag, into the waiting
  leave.set_value();
  ending.join();
  CHECK(running.get() == 1);
  for (auto& each : queued) CHECK_THROWS_AS(each.get(), task_cancelled);
  CHECK(*witness == 0);
}

TEST_CASE("cancelling a queued task destroys its arguments at once, though the loop is busy") {
  small_runtime rt;
  occupied_loop busy(rt);
  auto witness = std::make_shared<int>(0);
  auto queued = rt.submit(loop, [witness] {});
  CHECK(witness.use_count() == 2);
  CHECK(queued.cancel());
  CHECK(witness.use_count() == 1);
}

TEST_CASE("a deadline passes in time though the loop is blocked") {
  small_runtime rt;
  occupied_loop busy(rt);
  auto late = rt.submit({.on = loop, .deadline = 20ms}, [] { return 1; });
  CHECK_THROWS_AS(late.get(), task_timeout);  // it would never come back otherwise
}
