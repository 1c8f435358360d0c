#include <brigade/threads/threads_executor.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <brigade/os/cpu.hpp>
#include <brigade/os/thread.hpp>
#include <brigade/work/sleep.hpp>

#include "pool.hpp"
#include "support/eventually.hpp"

using namespace brigade;
using namespace std::chrono_literals;
using brigade::testing::barrier_gate;
using brigade::testing::eventually;
using brigade::testing::pool;

namespace {

// Keeps one worker busy until the gate is opened.
future<void> occupy(pool& rt, barrier_gate& door) {
  auto busy = std::make_shared<std::atomic<bool>>(false);
  auto occupied = rt.submit({.priority = priority::high}, [busy, &door] {
    *busy = true;
    busy->notify_all();
    door.pass();
  });
  busy->wait(false);
  return occupied;
}

}  // namespace

TEST_CASE("workers start with the first task, with their names, and are as many as asked") {
  pool rt({.workers = 3, .name = "cook"});
  CHECK(rt.crew.worker_count() == 3);
  CHECK(rt.crew.workers().empty());
  auto answer = rt.submit(threads, [] { return os::thread_name(); });
  const std::string name = answer.get();
  CHECK(name.substr(0, 5) == "cook-");
  CHECK(eventually([&] { return rt.crew.workers().size() == 3; }));
  std::set<int> tids;
  for (const worker_info& each : rt.crew.workers()) {
    CHECK(each.executor == executor_kind::threads);
    CHECK(each.name == "cook-" + std::to_string(each.index));
    tids.insert(each.tid);
  }
  CHECK(tids.size() == 3);
  CHECK(rt.stats().workers_started == 3);
}

TEST_CASE("by default there is a worker for each usable CPU") {
  pool rt({});
  CHECK(rt.crew.worker_count() == os::usable_cpus());
}

TEST_CASE("joining ends the workers, twice does no harm, and a pool without tasks joins too") {
  pool idle({.workers = 2});
  idle.crew.join();
  pool rt({.workers = 2});
  rt.submit(threads, [] {}).get();
  rt.core.shutdown(shutdown_mode::drain, std::nullopt);
  rt.crew.join();
  CHECK(rt.crew.workers().empty());
  rt.crew.join();
}

TEST_CASE("hooks run on each worker's own thread, around its tasks") {
  std::mutex mutex;
  std::vector<worker_info> begun;
  std::vector<worker_info> ended;
  int wrong_thread = 0;
  int errors = 0;
  hooks told;
  told.on_error = [&](const task_identity&, std::exception_ptr) {
    const std::lock_guard lock(mutex);
    ++errors;
  };
  const auto note = [&](std::vector<worker_info>& to, const worker_info& worker) {
    const std::lock_guard lock(mutex);
    to.push_back(worker);
    wrong_thread += worker.tid == os::thread_id() ? 0 : 1;
  };
  told.on_worker_start = [&](const worker_info& worker) {
    note(begun, worker);
    if (worker.index == 1) throw std::runtime_error("a hook may throw");
  };
  told.on_worker_stop = [&](const worker_info& worker) { note(ended, worker); };
  {
    pool rt({.workers = 2}, told);
    CHECK(rt.submit(threads, [&] {
              const std::lock_guard lock(mutex);
              return begun.size();
            }).get() > 0);
  }
  CHECK(begun.size() == 2);
  CHECK(ended.size() == 2);
  CHECK(wrong_thread == 0);
  CHECK(errors == 1);
}

TEST_CASE("workers can be pinned, to CPUs that exist") {
  const std::vector<unsigned> allowed = os::allowed_cpus();
  pool rt({.workers = 1, .pin = true, .cpus = {allowed.back()}});
  CHECK(rt.submit(threads, [] { return os::allowed_cpus(); }).get() ==
        std::vector<unsigned>{allowed.back()});
  CHECK_THROWS_AS(pool({.workers = 1, .pin = true, .cpus = {99999}}), std::invalid_argument);
}

TEST_CASE("outsiders are served by priority, and in order within a level") {
  barrier_gate door;
  pool rt({.workers = 1});
  auto first = occupy(rt, door);
  std::string order;  // one worker: no race
  const auto post = [&](priority level, char mark) {
    rt.post({.priority = level}, [&order, mark] { order += mark; });
  };
  post(priority::low, 'x');
  post(priority::normal, 'c');
  post(priority::high, 'a');
  post(priority::low, 'y');
  post(priority::normal, 'd');
  post(priority::high, 'b');
  door.open();
  rt.core.shutdown(shutdown_mode::drain, std::nullopt);
  CHECK(order == "abcdxy");
}

TEST_CASE("an urgent task goes before what a worker has submitted itself") {
  std::string order;
  pool rt({.workers = 1});
  rt.submit(threads, [&order] {
      post(threads, [&order] { order += 'b'; });
      post({.priority = priority::high}, [&order] { order += 'a'; });
      post({.priority = priority::low}, [&order] { order += 'c'; });
    }).get();
  rt.core.shutdown(shutdown_mode::drain, std::nullopt);
  CHECK(order == "abc");
}

TEST_CASE("what a worker submitted is served beside a flood from outside, also when it is busy") {
  barrier_gate door;
  std::atomic<bool> stop{false};
  std::atomic<bool> child_ran{false};
  pool rt({.workers = 2});
  auto parent = rt.submit(threads, [&] {
    post(threads, [&child_ran] { child_ran = true; });
    door.pass();
  });
  std::jthread flood([&] {
    while (!stop) rt.post({.priority = priority::normal}, [] {});
  });
  CHECK(eventually([&] { return child_ran.load(); }));  // the other worker must steal it
  stop = true;
  door.open();
}

TEST_CASE("a coroutine that keeps yielding keeps nobody out") {
  std::atomic<bool> stop{false};
  pool rt({.workers = 1});
  auto polite = rt.submit(threads, [&stop]() -> task<void> {
    while (!stop) co_await yield_now();
  });
  for (int round = 0; round < 100; ++round) CHECK(rt.submit(threads, [] { return 1; }).get() == 1);
  stop = true;
  polite.get();
}

TEST_CASE("discarding cancels queued tasks at once, though every worker is busy") {
  barrier_gate door;
  std::atomic<bool> busy{false};
  future<void> inside;
  pool rt({.workers = 1});
  auto parent = rt.submit(threads, [&] {
    inside = submit(threads, [] { FAIL("it ran"); });
    busy = true;
    busy.notify_all();
    door.pass();
  });
  busy.wait(false);
  auto outside = rt.submit({.priority = priority::low}, [] { FAIL("it ran"); });
  CHECK_FALSE(rt.core.shutdown(shutdown_mode::cancel_pending, 0ns));
  CHECK_THROWS_AS(outside.get(), task_cancelled);
  CHECK_THROWS_AS(inside.get(), task_cancelled);
  door.open();
  CHECK(rt.core.shutdown(shutdown_mode::cancel_pending, std::nullopt));
}

TEST_CASE("coroutines still resume while queued tasks are being discarded") {
  std::atomic<bool> busy{false};
  pool rt({.workers = 1});
  auto sleeper = rt.submit(threads, [&busy]() -> task<int> {
    busy = true;
    busy.notify_all();
    co_await sleep_for(20ms);
    co_return 1;
  });
  busy.wait(false);
  CHECK(rt.core.shutdown(shutdown_mode::cancel_pending, std::nullopt));
  CHECK(sleeper.get() == 1);
}

TEST_CASE("cancelled and late tasks end at once, and their places in the queues stay behind") {
  barrier_gate door;
  pool rt({.workers = 1});
  auto busy = occupy(rt, door);
  std::vector<future<void>> victims;
  for (int each = 0; each < 200; ++each) {
    victims.push_back(rt.submit({.deadline = each % 2 == 0 ? 1ms : 1h}, [] { FAIL("it ran"); }));
  }
  for (std::size_t at = 1; at < victims.size(); at += 2) CHECK(victims[at].cancel());
  for (std::size_t at = 0; at < victims.size(); ++at) {
    if (at % 2 == 0) {
      CHECK_THROWS_AS(victims[at].get(), task_timeout);
    } else {
      CHECK_THROWS_AS(victims[at].get(), task_cancelled);
    }
  }
  CHECK(rt.stats().queued == 0);
  door.open();
}

TEST_CASE("no wake-up is lost: single tasks with pauses of every length are always served") {
  pool rt({.workers = 2});
  for (int round = 0; round < 3000; ++round) {
    REQUIRE(rt.submit(threads, [round] { return round; }).get() == round);
    for (int pause = 0; pause < round % 64 * 20; ++pause) {
      std::atomic_signal_fence(std::memory_order_seq_cst);
    }
  }
}

TEST_CASE("no task is lost when many threads post in bursts and workers go to sleep in between") {
  std::atomic<int> ran{0};
  constexpr int per_producer = 2000;
  {
    pool rt({.workers = 3});
    std::vector<std::jthread> producers;
    for (int each = 0; each < 4; ++each) {
      producers.emplace_back([&rt, &ran, each] {
        for (int at = 0; at < per_producer; ++at) {
          if (at % 3 == 0) {
            rt.post(threads, [&ran]() -> task<void> {
              co_await yield_now();
              ++ran;
            });
          } else {
            rt.post({.priority = static_cast<priority>(at % 3)}, [&ran] {
              post(threads, [&ran] { ++ran; });
            });
          }
          if (at % (50 + each) == 0) std::this_thread::sleep_for(100us);
        }
      });
    }
  }
  CHECK(ran == 4 * per_producer);
}

TEST_CASE("tasks that spawn tasks use all workers and all run") {
  std::atomic<int> ran{0};
  {
    pool rt({.workers = 4});
    struct spawn {
      std::atomic<int>* ran;
      int depth;
      void operator()() const {
        ++*ran;
        if (depth == 0) return;
        post(threads, spawn{ran, depth - 1});
        post(threads, spawn{ran, depth - 1});
      }
    };
    rt.post(threads, spawn{&ran, 13});
  }
  CHECK(ran == (1 << 14) - 1);
}

TEST_CASE("pools come and go, with tasks or without") {
  for (int round = 0; round < 100; ++round) {
    std::atomic<int> ran{0};
    {
      pool rt({.workers = 2});
      for (int each = 0; each < round % 4; ++each) rt.post(threads, [&ran] { ++ran; });
    }
    CHECK(ran == round % 4);
  }
}
