#include <brigade/reactor/reactor.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <fstream>
#include <future>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <asio/post.hpp>
#include <asio/steady_timer.hpp>

#include <brigade/os/proc.hpp>
#include <brigade/os/process.hpp>
#include <brigade/os/thread.hpp>
#include <brigade/reactor/io_context.hpp>

#include "small_runtime.hpp"
#include "support/eventually.hpp"

using namespace brigade;
using namespace std::chrono_literals;
using brigade::testing::both;
using brigade::testing::occupied_loop;
using brigade::testing::small_runtime;

TEST_CASE("io_context() is the context of the task's own runtime, from any executor") {
  small_runtime first;
  small_runtime second;
  for (const executor_kind where : both) {
    asio::io_context* const of_first = first.submit(where, [] { return &io_context(); }).get();
    asio::io_context* const of_second = second.submit(where, [] { return &io_context(); }).get();
    CHECK(of_first == &first.core.io()->context());
    CHECK(of_second == &second.core.io()->context());
  }
  CHECK_THROWS_AS((void)io_context(), std::logic_error);
}

TEST_CASE("io_context() starts the loop, so that plain Asio works though no task ran on it") {
  std::promise<int> ran;
  small_runtime rt;
  rt.submit(threads, [&ran] { asio::post(io_context(), [&ran] { ran.set_value(7); }); }).get();
  CHECK(ran.get_future().get() == 7);
}

TEST_CASE("what an Asio handler throws is reported, and the loop goes on") {
  std::promise<std::string> reported;
  hooks told;
  told.on_error = [&reported](const task_identity&, std::exception_ptr error) {
    try {
      std::rethrow_exception(error);
    } catch (const std::exception& caught) {
      reported.set_value(caught.what());
    }
  };
  small_runtime rt({}, told);
  rt.submit(loop, [] {
      asio::post(io_context(), [] { throw std::runtime_error("from a handler"); });
    }).get();
  CHECK(reported.get_future().get() == "from a handler");
  CHECK(rt.submit(loop, [] { return 1; }).get() == 1);
}

TEST_CASE("the loop survives a program that stops its context") {
  small_runtime rt;
  rt.submit(loop, [] { io_context().stop(); }).get();
  CHECK(rt.submit(loop, [] { return 2; }).get() == 2);
}

namespace {

task<long> hop_until(std::atomic<bool>* enough) {
  long hops = 0;
  while (!enough->load()) {
    ++hops;
    co_await yield_now();
  }
  co_return hops;
}

// Posts itself again as long as `turns` lasts, and says so at the end.
void chase(asio::io_context& io, int turns, std::atomic<bool>& done) {
  if (turns == 0) {
    done = true;
  } else {
    asio::post(io, [&io, turns, &done] { chase(io, turns - 1, done); });
  }
}

}  // namespace

TEST_CASE("coroutines that hop without end starve neither timers nor Asio's handlers") {
  std::atomic<bool> enough{false};
  small_runtime rt;
  std::vector<future<long>> hopping;
  for (int i = 0; i < 3; ++i) hopping.push_back(rt.submit(loop, hop_until, &enough));
  rt.submit(loop, []() -> task<void> { co_await sleep_for(2ms); }).get();
  std::atomic<bool> chased{false};
  rt.submit(loop, [&chased] { chase(io_context(), 100, chased); }).get();
  CHECK(brigade::testing::eventually([&] { return chased.load(); }));
  enough = true;
  for (auto& each : hopping) CHECK(each.get() > 0);
}

TEST_CASE("Asio handlers that post themselves without end do not starve tasks") {
  std::atomic<bool> done{false};
  std::atomic<bool> stop{false};
  small_runtime rt;
  struct endless {
    asio::io_context& io;
    std::atomic<bool>& stop;
    std::atomic<bool>& done;
    void operator()() const {
      if (stop) {
        done = true;
      } else {
        asio::post(io, *this);
      }
    }
  };
  rt.submit(loop, [&] { asio::post(io_context(), endless{io_context(), stop, done}); }).get();
  for (int i = 0; i < 100; ++i) CHECK(rt.submit(loop, [i] { return i; }).get() == i);
  stop = true;
  CHECK(brigade::testing::eventually([&] { return done.load(); }));
}

TEST_CASE("of what waits in the loop's queue, higher priorities run first") {
  small_runtime rt;
  occupied_loop busy(rt);
  std::vector<int> order;
  std::vector<future<void>> all;
  const auto add = [&](priority level, int mark) {
    all.push_back(rt.submit({.on = loop, .priority = level},
                            [&order, mark] { order.push_back(mark); }));
  };
  add(priority::low, 3);
  add(priority::normal, 2);
  add(priority::high, 1);
  busy.leave();
  for (auto& each : all) each.get();
  CHECK(order == std::vector<int>{1, 2, 3});
}

#ifndef __SANITIZE_THREAD__  // which has a thread of its own that wakes up
namespace {

// How often the threads of this process have gone to sleep, but for the calling one.
std::uint64_t sleeps_of_others() {
  std::uint64_t sum = 0;
  for (const pid_t tid : os::threads_of(os::process_id())) {
    if (tid == os::thread_id()) continue;
    std::ifstream status("/proc/self/task/" + std::to_string(tid) + "/status");
    for (std::string line; std::getline(status, line);) {
      if (line.rfind("voluntary_ctxt_switches:", 0) == 0) sum += std::stoull(line.substr(24));
    }
  }
  return sum;
}

}  // namespace

TEST_CASE("when the loop is idle no thread wakes up") {
  small_runtime rt;
  rt.submit(loop, []() -> task<void> { co_await sleep_for(1ms); }).get();
  // What the end of the task still leads to comes to rest first.
  auto before = sleeps_of_others();
  for (bool rests = false; !rests;) {
    std::this_thread::sleep_for(150ms);  // a stretch of time is what is looked at
    const auto now = sleeps_of_others();
    rests = now == before;
    before = now;
  }
  std::this_thread::sleep_for(250ms);
  CHECK(sleeps_of_others() == before);
}
#endif
