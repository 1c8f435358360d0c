// Who gets the pool's turns beside those who never run out of work. All of it is counted in tasks,
// so that no case depends on time: the bounds are those that threads_executor::take() promises.
#include <brigade/threads/threads_executor.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include <brigade/work/sleep.hpp>

#include "pool.hpp"

using namespace brigade;
using brigade::testing::barrier_gate;
using brigade::testing::pool;

namespace {

constexpr int outsiders_wait = 32;  // tasks of one worker, at most
constexpr int oldest_waits = 64;
constexpr int give_up = 100'000;  // tasks, after which those who starve others stop by themselves

// Submits itself until it is told to stop, or for long.
struct again {
  std::atomic<bool>* stop;
  std::atomic<int>* ran;
  void operator()() const {
    if (ran->fetch_add(1) < give_up && !*stop) post(threads, again{stop, ran});
  }
};

// Runs `before` on a worker, and keeps that one busy until the door is open.
template <class Before>
future<void> hold(pool& rt, barrier_gate& door, Before before) {
  auto holds = std::make_shared<std::atomic<bool>>(false);
  auto held = rt.submit(threads, [holds, &door, before] {
    before();
    *holds = true;
    holds->notify_all();
    door.pass();
  });
  holds->wait(false);
  return held;
}

}  // namespace

TEST_CASE("outsiders are served, in order, beside two insiders that never run out of work") {
  std::atomic<bool> stop{false};
  std::atomic<int> inside{0};
  barrier_gate door;
  std::vector<int> before;  // how many of the insiders' tasks ran before each outsider's
  constexpr int outsiders = 500;
  {
    pool rt({.workers = 1});
    auto held = hold(rt, door, [&] {
      post(threads, again{&stop, &inside});
      post(threads, again{&stop, &inside});
    });
    for (int each = 0; each < outsiders; ++each) {
      rt.post(threads, [&, each] {
        CHECK(static_cast<int>(before.size()) == each);
        before.push_back(inside);
        if (each == outsiders - 1) stop = true;
      });
    }
    door.open();
    held.get();
  }
  REQUIRE(before.size() == outsiders);
  int seen = 0;
  int longest = 0;
  for (const int at : before)
    longest = std::max(longest, at - std::exchange(seen, at));
  CHECK(longest <= outsiders_wait);
}

TEST_CASE("so are coroutines that resume, which count as outsiders") {
  std::atomic<bool> stop{false};
  std::atomic<int> inside{0};
  barrier_gate door;
  int seen = 0;
  int longest = 0;
  {
    pool rt({.workers = 1});
    auto held = hold(rt, door, [&] { post(threads, again{&stop, &inside}); });
    auto polite = rt.submit(threads, [&]() -> task<void> {
      for (int turn = 0; turn < 300; ++turn) {
        co_await yield_now();
        longest = std::max(longest, inside - std::exchange(seen, inside.load()));
      }
      stop = true;
    });
    door.open();
    held.get();
    polite.get();
  }
  CHECK(longest <= 2 * outsiders_wait);  // the first time it waits twice: to start, to resume
}

TEST_CASE("insiders keep most of the turns beside any number of outsiders") {
  std::atomic<bool> stop{false};
  std::atomic<int> inside{0};
  barrier_gate door;
  int outside = 0;  // one worker: no race
  int seen = 0;
  {
    pool rt({.workers = 1});
    auto held = hold(rt, door, [&] { post(threads, again{&stop, &inside}); });
    for (int each = 0; each < 5000; ++each) {
      rt.post(threads, [&] {
        if (++outside == 100) {
          seen = inside;
          stop = true;
        }
      });
    }
    door.open();
    held.get();
  }
  CHECK(seen >= 100 * (outsiders_wait - 2));
  CHECK(outside == 5000);
}

TEST_CASE("the oldest of a worker's own tasks is not starved by newer ones") {
  std::atomic<bool> stop{false};
  std::atomic<int> newer{0};
  std::vector<int> before;
  {
    pool rt({.workers = 1});
    rt.submit(threads, [&] {
        for (int each = 0; each < 20; ++each) {
          post(threads, [&] {
            before.push_back(newer);
            if (before.size() == 20) stop = true;
          });
        }
        post(threads, again{&stop, &newer});
        post(threads, again{&stop, &newer});
      }).get();
  }
  REQUIRE(before.size() == 20);
  int seen = 0;
  for (const int at : before)
    CHECK(at - std::exchange(seen, at) <= oldest_waits);
}

TEST_CASE("what a busy worker has submitted is served beside any number of outsiders") {
  barrier_gate door;
  barrier_gate flooded;
  std::atomic<int> outside{0};
  std::vector<int> before;  // one worker runs all of it: no race
  {
    pool rt({.workers = 2});
    auto free_one = hold(rt, flooded, [] {});
    auto busy = hold(rt, door, [&] {
      for (int child = 0; child < 20; ++child) {
        post(threads, [&] { before.push_back(outside); });
      }
    });
    for (int each = 0; each < 5000; ++each) {
      rt.post(threads, [&] {
        if (++outside == 5000) door.open();
      });
    }
    flooded.open();
    free_one.get();
    busy.get();
  }
  REQUIRE(before.size() == 20);
  int seen = 0;
  for (const int at : before)
    CHECK(at - std::exchange(seen, at) <= 2 * oldest_waits);
}

TEST_CASE("what a busy worker has submitted is served beside another one that submits for ever") {
  for (int round = 0; round < 8; ++round) {  // which worker is whose neighbour, chance decides
    barrier_gate door;
    std::atomic<bool> stop{false};
    std::atomic<int> ran{0};
    int waited = give_up;
    {
      pool rt({.workers = 3, .spare_limit = 0});
      auto source = rt.submit(threads, [&] {
        for (int made = 0; made < give_up && !stop;) {
          if (made - ran >= 256) {
            std::this_thread::yield();
            continue;
          }
          post(threads, [&ran] { ++ran; });
          ++made;
        }
        stop = true;
      });
      std::atomic<int> queued_at{give_up};
      auto busy = hold(rt, door, [&] {
        post(threads, [&] {
          waited = ran - queued_at;
          stop = true;
        });
        queued_at = ran.load();  // after it was queued: before that, time would count
      });
      source.get();
      door.open();
      busy.get();
    }
    CHECK(waited <= 3 * oldest_waits);
  }
}
