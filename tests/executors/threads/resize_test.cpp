// Workers that come and go while the pool runs: hooks, queues, tasks in flight, blocked workers.
#include <brigade/threads/threads_executor.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
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
using brigade::testing::barrier_gate;
using brigade::testing::eventually;
using brigade::testing::pool;

namespace {

// A task that holds a worker until the gate is opened, and is under way.
future<void> hold(pool& rt, barrier_gate& door) {
  auto holds = std::make_shared<std::atomic<bool>>(false);
  auto held = rt.submit(threads, [holds, &door] {
    *holds = true;
    holds->notify_all();
    door.pass();
  });
  holds->wait(false);
  return held;
}

bool become(pool& rt, std::size_t count) {
  return eventually([&] { return rt.crew.workers().size() == count; });
}

int fibonacci(int n) {
  if (n < 2) return n;
  auto left = submit(threads, fibonacci, n - 1);
  auto right = submit(threads, fibonacci, n - 2);
  const int sum = left.get();
  return sum + right.get();
}

}  // namespace

TEST_CASE("the number of workers is 1 to 4096, and may be set before the first task") {
  pool rt({.workers = 2});
  CHECK_THROWS_AS(rt.crew.resize(0), std::invalid_argument);
  CHECK_THROWS_AS(rt.crew.resize(5000), std::invalid_argument);
  CHECK(rt.crew.worker_count() == 2);
  CHECK(rt.crew.resize(3));
  CHECK(rt.crew.worker_count() == 3);
  CHECK(rt.crew.workers().empty());
  rt.submit(threads, [] {}).get();
  CHECK(become(rt, 3));
}

TEST_CASE("more workers start at once, with their names, their hooks and their CPUs") {
  std::atomic<int> begun{0};
  std::atomic<int> ended{0};
  hooks told;
  told.on_worker_start = [&](const worker_info&) { ++begun; };
  told.on_worker_stop = [&](const worker_info&) { ++ended; };
  const std::vector<unsigned> allowed = os::allowed_cpus();
  {
    pool rt({.workers = 1, .name = "cook", .pin = true}, told);
    rt.submit(threads, [] {}).get();
    CHECK(rt.crew.resize(4));
    CHECK(rt.crew.worker_count() == 4);
    CHECK(become(rt, 4));
    std::set<std::string> names;
    for (const worker_info& each : rt.crew.workers())
      names.insert(each.name);
    CHECK(names == std::set<std::string>{"cook-0", "cook-1", "cook-2", "cook-3"});
    barrier_gate door;
    std::atomic<int> inside{0};
    std::atomic<int> elsewhere{0};
    std::vector<future<void>> all;
    for (int each = 0; each < 4; ++each) {
      all.push_back(rt.submit(threads, [&] {
        const unsigned cpu = allowed[current().worker % allowed.size()];
        if (os::allowed_cpus() != std::vector<unsigned>{cpu}) ++elsewhere;
        ++inside;
        door.pass();
      }));
    }
    CHECK(eventually([&] { return inside == 4; }));  // all four at the same time
    CHECK(elsewhere == 0);
    CHECK(begun == 4);
    CHECK(ended == 0);
    CHECK(rt.stats().workers_started == 4);
    door.open();
    for (auto& each : all)
      each.get();
  }
  CHECK(ended == 4);
}

TEST_CASE("fewer: the idle ones end at once, the busy ones after their task") {
  std::mutex mutex;
  std::vector<unsigned> ended;
  hooks told;
  told.on_worker_stop = [&](const worker_info& worker) {
    const std::lock_guard lock(mutex);
    ended.push_back(worker.index);
  };
  barrier_gate door;
  pool rt({.workers = 4}, told);
  rt.submit(threads, [] {}).get();
  REQUIRE(become(rt, 4));
  CHECK(rt.crew.resize(3));
  CHECK(become(rt, 3));
  std::vector<future<void>> held;
  for (int each = 0; each < 3; ++each)
    held.push_back(hold(rt, door));
  CHECK(rt.crew.resize(1));
  CHECK(rt.crew.worker_count() == 1);
  CHECK(rt.crew.workers().size() == 3);  // all are at work
  auto queued = rt.submit(threads, [] { return current().worker; });
  door.open();
  for (auto& each : held)
    each.get();
  CHECK(become(rt, 1));
  CHECK(queued.get() < 3);
  {
    const std::lock_guard lock(mutex);
    std::sort(ended.begin(), ended.end());
    CHECK(ended == std::vector<unsigned>{1, 2, 3});
  }
  CHECK(rt.crew.workers().front().index == 0);
  CHECK(rt.submit(threads, [] { return current().worker; }).get() == 0);
}

TEST_CASE("what a leaving worker had queued goes to the others") {
  barrier_gate door;
  barrier_gate leave;
  std::atomic<int> children{0};
  std::atomic<bool> in_place{false};
  pool rt({.workers = 2});
  // Both are held; the one with the index 1 queues tasks of its own.
  std::vector<future<void>> held;
  std::atomic<int> inside{0};
  for (int each = 0; each < 2; ++each) {
    held.push_back(rt.submit(threads, [&] {
      ++inside;
      if (current().worker == 1) {
        for (int child = 0; child < 100; ++child)
          post(threads, [&children] { ++children; });
        in_place = true;
        in_place.notify_all();
        leave.pass();
      } else {
        door.pass();
      }
    }));
  }
  in_place.wait(false);
  CHECK(eventually([&] { return inside == 2; }));
  CHECK(rt.crew.resize(1));
  leave.open();
  CHECK(become(rt, 1));
  // The only worker is still held, so it must be in the queue that outsiders use.
  CHECK(rt.stats().queued + static_cast<std::size_t>(children) == 100);
  door.open();
  CHECK(rt.core.shutdown(shutdown_mode::drain, std::nullopt));
  CHECK(children == 100);
}

TEST_CASE("a worker too many stands in for one that is blocked before it leaves") {
  barrier_gate door;
  pool rt({.workers = 2, .spare_limit = 0});
  rt.submit(threads, [] {}).get();
  REQUIRE(become(rt, 2));
  auto promised = rt.submit(loop, [&door] { door.pass(); });
  std::atomic<bool> in_place{false};
  auto blocked = rt.submit(threads, [&] {
    in_place = true;
    in_place.notify_all();
    promised.wait();
  });
  in_place.wait(false);
  CHECK(rt.crew.resize(1));
  door.open();
  blocked.get();
  CHECK(become(rt, 1));
  CHECK(rt.submit(threads, [] { return 3; }).get() == 3);
}

TEST_CASE("resizing again and again loses no task, from inside and outside") {
  std::atomic<int> ran{0};
  std::atomic<int> begun{0};
  std::atomic<int> ended{0};
  hooks told;
  told.on_worker_start = [&](const worker_info&) { ++begun; };
  told.on_worker_stop = [&](const worker_info&) { ++ended; };
  constexpr int rounds = 300;
  {
    pool rt({.workers = 2, .spare_limit = 4}, told);
    std::jthread elsewhere([&] {
      for (int round = 0; round < rounds; ++round) {
        rt.crew.resize(1 + static_cast<unsigned>(round) % 5);
        std::this_thread::yield();
      }
    });
    for (int round = 0; round < rounds; ++round) {
      rt.post(threads, [&] {
        for (int child = 0; child < 10; ++child)
          post(threads, [&ran] { ++ran; });
      });
      if (round % 10 == 0) CHECK(rt.submit(threads, fibonacci, 8).get() == 21);
      if (round % 50 == 0) rt.crew.resize(1 + static_cast<unsigned>(round) % 3);
    }
  }
  CHECK(ran == rounds * 10);
  CHECK(begun == ended);
}

TEST_CASE("the last size counts, however fast it changed") {
  pool rt({.workers = 1});
  rt.submit(threads, [] {}).get();
  for (int round = 0; round < 50; ++round) {
    for (const unsigned size : {4U, 1U, 3U, 2U, 1U, 4U})
      rt.crew.resize(size);
    CHECK(become(rt, 4));
    for (const unsigned size : {2U, 4U, 1U})
      rt.crew.resize(size);
    CHECK(become(rt, 1));
    CHECK(rt.submit(threads, [] { return 1; }).get() == 1);
  }
}

TEST_CASE("a pool that has ended keeps its peace") {
  pool rt({.workers = 2});
  rt.submit(threads, [] {}).get();
  rt.core.shutdown(shutdown_mode::drain, std::nullopt);
  rt.crew.join();
  CHECK(rt.crew.resize(8));
  CHECK(rt.crew.workers().empty());
}
