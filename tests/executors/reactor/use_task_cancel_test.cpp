// Cancelling a task that waits for an operation of Asio, at every moment of its life.
#include <brigade/reactor/use_task.hpp>

#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include <asio/ip/tcp.hpp>
#include <asio/local/connect_pair.hpp>
#include <asio/local/stream_protocol.hpp>
#include <asio/read.hpp>
#include <asio/steady_timer.hpp>

#include <brigade/reactor/io_context.hpp>

#include "as_tuple.hpp"
#include "small_runtime.hpp"

using namespace brigade;
using namespace std::chrono_literals;
using brigade::testing::as_tuple;
using brigade::testing::both;
using brigade::testing::small_runtime;
using stream = asio::local::stream_protocol::socket;

namespace {

// Reads from a peer that never writes.
task<int> read_forever(std::atomic<bool>* waiting) {
  stream mine(io_context());
  stream other(io_context());
  asio::local::connect_pair(mine, other);
  std::array<char, 8> data{};
  waiting->store(true);
  waiting->notify_all();
  co_await asio::async_read(mine, asio::buffer(data), use_task);
  co_return 0;
}

void hesitate(int steps) {
  for (std::atomic<int> step = 0; step < steps;) ++step;
}

}  // namespace

TEST_CASE("cancelling a task cancels its read, and the co_await throws task_cancelled") {
  small_runtime rt;
  for (const executor_kind where : both) {
    std::atomic<bool> waiting{false};
    auto reading = rt.submit(where, read_forever, &waiting);
    waiting.wait(false);
    CHECK(reading.cancel());
    CHECK_THROWS_AS(reading.get(), task_cancelled);
  }
}

TEST_CASE("a cancellation is delivered once: the task may go on and wait for other things") {
  small_runtime rt;
  const auto resist = [](std::atomic<bool>* waiting) -> task<int> {
    bool cancelled = false;
    try {
      co_await read_forever(waiting);
    } catch (const task_cancelled&) {
      cancelled = true;
    }
    co_await sleep_for(1ms);
    asio::steady_timer timer(io_context(), 1ms);
    co_await timer.async_wait(use_task);
    co_return cancelled ? 5 : 0;
  };
  for (const executor_kind where : both) {
    std::atomic<bool> waiting{false};
    auto reading = rt.submit(where, resist, &waiting);
    waiting.wait(false);
    std::this_thread::sleep_for(5ms);  // into the wait; the race is another case
    CHECK(reading.cancel());
    CHECK(reading.get() == 5);
  }
}

TEST_CASE("with as_tuple the code is the task's, and its next wait is cancelled") {
  small_runtime rt;
  const auto wait = [](std::atomic<bool>* waiting, std::atomic<bool>* aborted) -> task<void> {
    asio::steady_timer timer(io_context(), 1h);
    waiting->store(true);
    waiting->notify_all();
    const auto [failure] = co_await timer.async_wait(as_tuple(use_task));
    aborted->store(failure == asio::error::operation_aborted);
    co_await sleep_for(1h);
  };
  for (const executor_kind where : both) {
    std::atomic<bool> waiting{false};
    std::atomic<bool> aborted{false};
    auto task = rt.submit(where, wait, &waiting, &aborted);
    waiting.wait(false);
    std::this_thread::sleep_for(5ms);  // into the wait
    CHECK(task.cancel());
    CHECK_THROWS_AS(task.get(), task_cancelled);
    CHECK(aborted);
  }
}

TEST_CASE("an operation that the program aborts itself is no cancellation of the task") {
  small_runtime rt;
  const auto wait = []() -> task<void> {
    asio::steady_timer timer(io_context(), 1h);
    auto stop = submit(loop, [&timer] { timer.cancel(); });
    co_await timer.async_wait(use_task);
    co_await std::move(stop);
  };
  // On the loop the timer waits before the other task runs.
  try {
    rt.submit(loop, wait).get();
    FAIL("it waited for an hour");
  } catch (const std::system_error& error) {
    CHECK(error.code() == asio::error::operation_aborted);
  }
}

TEST_CASE("a cancellation at any moment of an operation's life ends the task once") {
  small_runtime rt;
  const auto wait = [](int round) -> task<int> {
    // Every other timer fires at about the time of the cancellation.
    asio::steady_timer timer(io_context(), round % 2 == 0 ? std::chrono::hours(1) : 20us);
    co_await timer.async_wait(use_task);
    co_return 1;
  };
  for (const executor_kind where : both) {
    int cancelled = 0;
    for (int round = 0; round < 3000; ++round) {
      auto task = rt.submit(where, wait, round);
      hesitate(round % 500 * 8);
      task.cancel();
      try {
        task.get();
      } catch (const task_cancelled&) {
        ++cancelled;
      }
    }
    CHECK(cancelled >= 1500);
  }
}

TEST_CASE("many tasks are cancelled from several threads at once") {
  small_runtime rt;
  const auto wait = []() -> task<void> {
    asio::steady_timer timer(io_context(), 1h);
    co_await timer.async_wait(use_task);
  };
  for (const executor_kind where : both) {
    std::vector<future<void>> tasks;
    for (int i = 0; i < 400; ++i) tasks.push_back(rt.submit(where, wait));
    std::vector<std::thread> cancellers;
    for (std::size_t part = 0; part < 2; ++part) {
      cancellers.emplace_back([&tasks, part] {
        for (std::size_t i = part; i < tasks.size(); i += 2) tasks[i].cancel();
      });
    }
    for (std::thread& each : cancellers) each.join();
    for (auto& each : tasks) CHECK_THROWS_AS(each.get(), task_cancelled);
  }
}

TEST_CASE("a deadline ends a read, though nobody cancels the task") {
  std::atomic<bool> waiting{false};  // a task may outlive its deadline
  small_runtime rt;
  for (const executor_kind where : both) {
    auto reading = rt.submit({.on = where, .deadline = 20ms}, read_forever, &waiting);
    CHECK_THROWS_AS(reading.get(), task_timeout);
  }
}
