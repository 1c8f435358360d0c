#include <brigade/loop/blocked_watch.hpp>

#include <doctest/doctest.h>
#include <sched.h>

#include <chrono>
#include <condition_variable>
#include <future>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <asio/post.hpp>
#include <asio/use_awaitable.hpp>

#include <brigade/os/cpu.hpp>
#include <brigade/os/proc.hpp>
#include <brigade/os/thread.hpp>
#include <brigade/reactor/awaitable.hpp>
#include <brigade/reactor/io_context.hpp>
#include <brigade/reactor/use_task.hpp>

#include "executors/reactor/small_runtime.hpp"

using namespace brigade;
using namespace std::chrono_literals;
using brigade::testing::small_runtime;

namespace {

// Long enough that a loop which does nothing wrong is not suspected on a busy machine.
constexpr auto limit = 300ms;

class reports {
 public:
  [[nodiscard]] hooks hook() {
    hooks told;
    told.on_blocked_loop = [this](const blocked_loop& report) {
      const std::lock_guard lock(mutex_);
      all_.push_back(report);
      changed_.notify_all();
    };
    return told;
  }
  // Waits for the n-th report.
  [[nodiscard]] blocked_loop wait_for(std::size_t count) {
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
  std::vector<blocked_loop> all_;
};

}  // namespace

TEST_CASE("the coroutine that a worker process drives has its loop to itself and is not reported") {
  reports seen;
  detail::report_blocked_loop(seen.hook(), {{"stew", 3, executor_kind::processes}, 500ms});
  CHECK(seen.count() == 0);
  detail::report_blocked_loop(seen.hook(), {{"stew", 3, executor_kind::loop}, 500ms});
  CHECK(seen.count() == 1);
}

TEST_CASE("a function that blocks the loop is reported while it does, with task and time, once") {
  reports told;
  small_runtime rt({.blocked_after = limit}, told.hook());
  std::promise<void> leave;
  auto blocking = rt.submit({.on = loop, .name = "fry"}, [&] { leave.get_future().wait(); });
  const blocked_loop report = told.wait_for(1);  // it blocks until we have seen this
  CHECK(report.task.name == "fry");
  CHECK(report.task.id == blocking.id());
  CHECK(report.task.executor == executor_kind::loop);
  CHECK(report.lasted >= limit);
  std::this_thread::sleep_for(2 * limit);  // time for a second report, which must not come
  leave.set_value();
  blocking.get();
  CHECK(told.count() == 1);
}

TEST_CASE("coroutines are reported too: after a hop, a sleep, an operation, and as guests") {
  reports told;
  small_runtime rt({.blocked_after = limit}, told.hook());
  const auto wait_for_report = [&told](std::size_t number) { (void)told.wait_for(number); };
  const auto ours = [&](int step) -> task<void> {
    if (step == 0) co_await yield_now();
    if (step == 1) co_await sleep_for(1ms);
    if (step == 2) co_await asio::post(io_context(), use_task);
    wait_for_report(static_cast<std::size_t>(step) + 1);
  };
  for (int step = 0; step < 3; ++step) {
    auto blocking = rt.submit({.on = loop, .name = "step"}, ours, step);
    blocking.wait();
    const blocked_loop report = told.wait_for(static_cast<std::size_t>(step) + 1);
    CHECK(report.task.id == blocking.id());
    CHECK(report.lasted >= limit);
  }
  auto guest = rt.submit({.on = loop, .name = "guest"}, [&]() -> asio::awaitable<void> {
    co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
    wait_for_report(4);
  });
  guest.wait();
  CHECK(told.wait_for(4).task.name == "guest");
}

TEST_CASE("each of two tasks that block one after the other is reported") {
  reports told;
  small_runtime rt({.blocked_after = limit}, told.hook());
  auto first = rt.submit(loop, [&] { (void)told.wait_for(1); });
  auto second = rt.submit(loop, [&] { (void)told.wait_for(2); });
  first.wait();
  second.wait();
  CHECK(told.wait_for(1).task.id == first.id());
  CHECK(told.wait_for(2).task.id == second.id());
}

TEST_CASE("a loop that is busy with many short things is not blocked") {
  reports told;
  // Above what a hypervisor takes away at once: that counts as the thread's own time.
  small_runtime rt({.blocked_after = 2s}, told.hook());
  const auto until = std::chrono::steady_clock::now() + 4s;
  rt.submit(loop, [until]() -> task<void> {
      while (std::chrono::steady_clock::now() < until)
        co_await yield_now();
    }).get();
  CHECK(told.count() == 0);
}

TEST_CASE("a task that gets no CPU is not blamed for it") {
  reports told;
  const unsigned shared_cpu = os::allowed_cpus().front();
  small_runtime rt({.cpu = shared_cpu, .blocked_after = 1s}, told.hook());
  std::jthread others([shared_cpu](const std::stop_token& stop) {
    os::pin_this_thread(shared_cpu);
    while (!stop.stop_requested()) {
    }
  });
  const auto lasted =
      rt.submit(loop, [] {
          // SCHED_IDLE runs when nobody else wants the CPU, or for about one part in 300.
          const sched_param none{};
          REQUIRE(::sched_setscheduler(0, SCHED_IDLE, &none) == 0);
          const auto begun = std::chrono::steady_clock::now();
          const auto used = os::read_resource_usage(os::usage_of::this_thread).user;
          while (std::chrono::steady_clock::now() < begun + 2500ms) {
          }
          CHECK(os::read_resource_usage(os::usage_of::this_thread).user - used < 1s);
          return std::chrono::steady_clock::now() - begun;
        }).get();
  CHECK(lasted >= 2500ms);
  CHECK(told.count() == 0);
}

TEST_CASE("a limit of zero watches nothing") {
  reports told;
  small_runtime rt({.blocked_after = 0ms}, told.hook());
  rt.submit(loop, [] { std::this_thread::sleep_for(150ms); }).get();
  CHECK(told.count() == 0);
}
