#include <brigade/reactor/async_wait.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <future>
#include <memory>
#include <stdexcept>
#include <thread>

#include <asio/bind_cancellation_slot.hpp>
#include <asio/bind_executor.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/thread_pool.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/use_future.hpp>

#include <brigade/reactor/awaitable.hpp>
#include <brigade/reactor/use_task.hpp>

#include "small_runtime.hpp"

using namespace brigade;
using namespace std::chrono_literals;
using brigade::testing::both;
using brigade::testing::small_runtime;

TEST_CASE("a future can be awaited by Asio's coroutines, futures and callbacks, and by tasks") {
  small_runtime rt;
  for (const executor_kind where : both) {
    const auto guest = [where]() -> asio::awaitable<int> {
      co_return co_await submit(where, [] { return 1; }).async_wait(asio::use_awaitable);
    };
    CHECK(rt.submit(where, guest).get() == 1);
    CHECK(rt.submit(where, [] { return 2; }).async_wait(asio::use_future).get() == 2);
    std::promise<int> called;
    rt.submit(where, [] { return 3; }).async_wait([&called](std::exception_ptr, int value) {
      called.set_value(value);
    });
    CHECK(called.get_future().get() == 3);
    const auto task_of_ours = [where]() -> task<int> {
      co_return co_await submit(where, [] { return 4; }).async_wait(use_task);
    };
    CHECK(rt.submit(where, task_of_ours).get() == 4);
    rt.submit(where, [] {}).async_wait(asio::use_future).get();
  }
}

TEST_CASE("a failure comes as the exception_ptr") {
  small_runtime rt;
  const auto fail = []() -> int { throw std::out_of_range("no"); };
  CHECK_THROWS_AS(rt.submit(threads, fail).async_wait(asio::use_future).get(), std::out_of_range);
  const auto guest = [fail]() -> asio::awaitable<int> {
    co_return co_await submit(threads, fail).async_wait(asio::use_awaitable);
  };
  CHECK_THROWS_AS(rt.submit(loop, guest).get(), std::out_of_range);
}

TEST_CASE("the handler runs on its own executor, by default on the loop; a ready future too") {
  asio::thread_pool own(1);  // outlives those that post to it
  small_runtime rt;
  const auto where_called = [&](auto wrap, auto& future) {
    std::promise<std::thread::id> called;
    std::move(future).async_wait(wrap([&called](std::exception_ptr, int) {
      called.set_value(std::this_thread::get_id());
    }));
    return called.get_future().get();
  };
  const auto loop_thread = rt.submit(loop, [] { return std::this_thread::get_id(); }).get();
  for (int i = 0; i < 100; ++i) {
    auto first = rt.submit(threads, [] { return 1; });
    if (i % 2 == 0) first.wait();
    CHECK(where_called([](auto handler) { return handler; }, first) == loop_thread);
    auto second = rt.submit(threads, [] { return 1; });
    if (i % 2 == 0) second.wait();
    const auto mine =
        where_called([&own](auto handler) { return asio::bind_executor(own, handler); }, second);
    CHECK(mine != loop_thread);
    CHECK(mine != std::this_thread::get_id());
  }
}

TEST_CASE("the handler may be move-only") {
  small_runtime rt;
  std::promise<int> called;
  rt.submit(threads, [] { return std::make_unique<int>(5); })
      .async_wait([&called, owned = std::make_unique<int>(1)](std::exception_ptr,
                                                             std::unique_ptr<int> value) {
        called.set_value(*value + *owned);
      });
  CHECK(called.get_future().get() == 6);
}

TEST_CASE("a cancellation through the handler's slot cancels the task and ends the wait") {
  small_runtime rt;
  asio::cancellation_signal signal;
  std::promise<std::exception_ptr> called;
  auto endless = rt.submit(threads, []() -> task<int> {
    co_await sleep_for(1h);
    co_return 1;
  });
  // The signal belongs to the loop's thread, on which the handler runs.
  rt.submit(loop, [&] {
      std::move(endless).async_wait(asio::bind_cancellation_slot(
          signal.slot(),
          [&called](std::exception_ptr error, int) { called.set_value(std::move(error)); }));
    }).get();
  rt.submit(loop, [&] { signal.emit(asio::cancellation_type::terminal); }).get();
  const std::exception_ptr error = called.get_future().get();
  CHECK_THROWS_AS(std::rethrow_exception(error), task_cancelled);
}

TEST_CASE("a task that is cancelled while it waits so cancels what it waits for") {
  small_runtime rt;
  for (const executor_kind where : both) {
    std::atomic<bool> waiting{false};
    const auto outer = [&waiting]() -> asio::awaitable<int> {
      auto inner = submit(threads, [&waiting]() -> task<int> {
        waiting = true;
        waiting.notify_all();
        co_await sleep_for(1h);
        co_return 1;
      });
      co_return co_await std::move(inner).async_wait(asio::use_awaitable);
    };
    auto task = rt.submit(where, outer);
    waiting.wait(false);
    std::this_thread::sleep_for(2ms);  // perhaps into the outer wait
    task.cancel();
    CHECK_THROWS_AS(task.get(), task_cancelled);
  }
}
