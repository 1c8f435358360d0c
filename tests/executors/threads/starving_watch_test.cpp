#include <brigade/threads/starving_watch.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <brigade/work/sleep.hpp>

#include "pool.hpp"

using namespace brigade;
using namespace std::chrono_literals;
using brigade::testing::barrier_gate;
using brigade::testing::pool;

namespace {

constexpr auto limit = 50ms;

class reports {
 public:
  [[nodiscard]] hooks hook() {
    hooks told;
    told.on_starving_queue = [this](const starving_queue& report) {
      const std::lock_guard lock(mutex_);
      all_.push_back(report);
      changed_.notify_all();
    };
    return told;
  }
  // Waits for the n-th report.
  [[nodiscard]] starving_queue wait_for(std::size_t count) {
    std::unique_lock lock(mutex_);
    REQUIRE(changed_.wait_for(lock, 60s, [&] { return all_.size() >= count; }));
    return all_[count - 1];
  }
  [[nodiscard]] std::size_t count() {
    const std::lock_guard lock(mutex_);
    return all_.size();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<starving_queue> all_;
};

// What the watch looks at, as the case sets it.
class toy_source : public detail::starving_source {
 public:
  look look_at_queue() noexcept override {
    const std::lock_guard lock(mutex_);
    ++looks_;
    changed_.notify_all();
    if (moves_) ++now_.moved;
    return now_;
  }
  void set(const look& now, bool moves = false) {
    const std::lock_guard lock(mutex_);
    now_ = now;
    moves_ = moves;
    enough_ = looks_;
  }
  [[nodiscard]] int looks() {
    const std::lock_guard lock(mutex_);
    return looks_;
  }
  // Waits for so many more looks since it was set, or since the last time.
  [[nodiscard]] bool looks_more(int count) {
    std::unique_lock lock(mutex_);
    enough_ += count;
    const bool enough = changed_.wait_for(lock, 60s, [&] { return looks_ >= enough_; });
    enough_ = looks_;
    return enough;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  look now_;
  bool moves_ = false;
  int looks_ = 0;
  int enough_ = 0;
};

struct watched_toy : private brigade::testing::toy_core {
  watched_toy(toy_source& source, brigade::hooks told, std::chrono::milliseconds after = 1ms)
      : toy_core{{std::move(told), brigade::testing::same_policy({})}},
        watch(core, source, after) {}
  ~watched_toy() { watch.stop(); }

  detail::starving_watch watch;
};

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

}  // namespace

TEST_CASE("work that waits while all workers are busy is reported, with number, age and cure") {
  reports told;
  barrier_gate door;
  pool rt({.workers = 2, .starving_after = limit}, told.hook());
  auto first = hold(rt, door);
  auto second = hold(rt, door);
  auto waiting = rt.submit(threads, [] { return 1; });
  rt.post({.priority = priority::low}, [] {});
  const starving_queue report = told.wait_for(1);  // nobody takes anything until we have seen it
  CHECK(report.executor == executor_kind::threads);
  CHECK(report.queued >= 1);
  CHECK(report.queued <= 2);
  CHECK(report.oldest >= limit);
  CHECK(report.workers == 2);
  CHECK(report.blocked == 0);
  CHECK(report.cure.find("runtime::resize") != report.cure.npos);
  CHECK(rt.crew.resize(3));  // as it says
  CHECK(waiting.get() == 1);
  door.open();
}

TEST_CASE("so is work behind workers that are blocked, with another cure") {
  reports told;
  barrier_gate door;
  pool rt({.workers = 1, .spare_limit = 0, .starving_after = limit}, told.hook());
  auto promised = rt.submit(loop, [&door] { door.pass(); });
  auto blocked = rt.submit(threads, [&] { promised.wait(); });
  starving_queue report;
  for (std::size_t time = 1; report.blocked == 0; ++time) {  // at first it may be about to block
    auto waiting = rt.submit(threads, [] {});
    report = told.wait_for(time);
    waiting.cancel();
  }
  CHECK(report.blocked == 1);
  CHECK(report.workers == 0);
  CHECK(report.cure.find("spare_limit") != report.cure.npos);
  door.open();
  blocked.get();
}

TEST_CASE("a coroutine that waits to go on counts as work that waits") {
  reports told;
  barrier_gate door;
  pool rt({.workers = 1, .starving_after = limit}, told.hook());
  std::atomic<bool> asleep{false};
  auto sleeper = rt.submit(threads, [&]() -> task<void> {
    asleep = true;
    asleep.notify_all();
    co_await sleep_for(limit);
  });
  asleep.wait(false);
  auto held = hold(rt, door);
  if (!sleeper.ready()) {  // else the machine stood still for as long as it slept
    CHECK(told.wait_for(1).queued >= 1);
  }
  door.open();
  held.get();
  sleeper.get();
}

TEST_CASE("what stands still is reported once, and again when it has moved in between") {
  reports told;
  toy_source source;
  watched_toy watched(source, told.hook());
  source.set({.moved = 1, .queue = {.queued = 5, .cure = "a rest"}});
  watched.watch.start();
  CHECK(told.wait_for(1).queued == 5);
  CHECK(told.wait_for(1).oldest >= 1ms);
  CHECK(told.wait_for(1).cure == "a rest");
  CHECK(source.looks_more(5));
  CHECK(told.count() == 1);
  source.set({.moved = 2, .queue = {.queued = 4}});
  CHECK(told.wait_for(2).queued == 4);
  CHECK(source.looks_more(5));
  CHECK(told.count() == 2);
  const auto old = std::chrono::steady_clock::now() - 1h;  // known to wait since then
  source.set({.moved = 3, .oldest = old, .queue = {.queued = 4}});
  CHECK(told.wait_for(3).oldest >= 1h);
}

TEST_CASE("long tasks alone starve nobody, nor does a queue that moves") {
  reports told;
  toy_source source;
  watched_toy watched(source, told.hook());
  source.set({.moved = 1});
  watched.watch.start();
  CHECK(source.looks_more(6));
  source.set({.moved = 2, .queue = {.queued = 5}}, true);
  CHECK(source.looks_more(6));
  CHECK(told.count() == 0);
}

TEST_CASE("nobody looks while the pool is idle, until a worker wakes up") {
  reports told;
  toy_source source;
  watched_toy watched(source, told.hook());
  for (int time = 0; time < 20; ++time) {
    source.set({.idle = true});
    watched.watch.start();
    CHECK(source.looks_more(2));  // the second makes sure that nobody woke up in between
    source.set({.idle = false, .moved = 1});
    watched.watch.start();
    CHECK(source.looks_more(2));
  }
  CHECK(told.count() == 0);
}

TEST_CASE("a limit of zero watches nothing, and without a hook nobody looks") {
  reports told;
  toy_source source;
  toy_source untold;
  toy_source other;
  watched_toy unlimited(source, told.hook(), 0ms);
  watched_toy unheard(untold, {});
  watched_toy watched(other, told.hook());
  for (watched_toy* each : {&unlimited, &unheard, &watched})
    each->watch.start();
  CHECK(other.looks_more(5));
  CHECK(source.looks() == 0);
  CHECK(untold.looks() == 0);
}

TEST_CASE("a hook that throws does no harm") {
  hooks throwing;
  throwing.on_starving_queue = [](const starving_queue&) { throw std::runtime_error("so there"); };
  detail::report_starving_queue(throwing, {});
  detail::report_starving_queue(hooks{}, {});
}
