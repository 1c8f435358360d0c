#include <brigade/reactor/awaitable.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <asio/experimental/awaitable_operators.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/post.hpp>
#include <asio/read.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>

#include <brigade/reactor/io_context.hpp>

#include "small_runtime.hpp"

using namespace brigade;
using namespace std::chrono_literals;
using asio::awaitable;
using asio::use_awaitable;
using asio::ip::tcp;
using brigade::testing::both;
using brigade::testing::small_runtime;

namespace {

awaitable<void> pause(std::chrono::microseconds time) {
  asio::steady_timer timer(co_await asio::this_coro::executor, time);
  co_await timer.async_wait(use_awaitable);
}

struct no_default {
  explicit no_default(int given) : value(given) {}
  int value;
};

}  // namespace

TEST_CASE("a coroutine of Asio is a task: it stays on its executor and knows who it is") {
  small_runtime rt;
  const auto guest = []() -> awaitable<std::vector<current_task>> {
    std::vector<current_task> seen;
    for (int i = 0; i < 20; ++i) {
      seen.push_back(current());
      co_await pause(100us);
    }
    co_return seen;
  };
  for (const executor_kind where : both) {
    auto task = rt.submit({.on = where, .name = "guest"}, guest);
    const std::uint64_t id = task.id();
    for (const current_task& each : task.get()) {
      CHECK(each.executor == where);
      CHECK(each.name == "guest");
      CHECK(each.id == id);
    }
  }
}

TEST_CASE("its result needs no default constructor and may be move-only; void works") {
  small_runtime rt;
  for (const executor_kind where : both) {
    CHECK(rt.submit(where, []() -> awaitable<no_default> {
              co_await pause(1us);
              co_return no_default(3);
            }).get().value == 3);
    CHECK(*rt.submit(where, [](std::unique_ptr<int> given) -> awaitable<std::unique_ptr<int>> {
                co_return std::move(given);
              }, std::make_unique<int>(4)).get() == 4);
    rt.submit(where, []() -> awaitable<void> { co_await pause(1us); }).get();
  }
}

TEST_CASE("its exceptions come back, before and after a wait") {
  small_runtime rt;
  const auto fail = [](bool wait) -> awaitable<int> {
    if (wait) co_await pause(1us);
    throw std::out_of_range("guest failed");
  };
  for (const executor_kind where : both) {
    for (const bool wait : {false, true}) {
      CHECK_THROWS_WITH_AS(rt.submit(where, fail, wait).get(), "guest failed", std::out_of_range);
    }
  }
}

TEST_CASE("guests talk to each other over sockets, with any mixture of executors") {
  small_runtime rt;
  const auto echo = [](tcp::acceptor* open) -> awaitable<int> {
    tcp::socket peer = co_await open->async_accept(use_awaitable);
    std::string heard(100000, ' ');
    co_await asio::async_read(peer, asio::buffer(heard), use_awaitable);
    co_await asio::async_write(peer, asio::buffer(heard), use_awaitable);
    co_return 1;
  };
  const auto talk = [](tcp::endpoint to) -> awaitable<bool> {
    tcp::socket socket(co_await asio::this_coro::executor);
    co_await socket.async_connect(to, use_awaitable);
    const std::string said(100000, 'x');
    co_await asio::async_write(socket, asio::buffer(said), use_awaitable);
    std::string heard(said.size(), ' ');
    co_await asio::async_read(socket, asio::buffer(heard), use_awaitable);
    co_return heard == said;
  };
  for (const executor_kind there : both) {
    for (const executor_kind here : both) {
      tcp::acceptor open(rt.core.io()->context(), {asio::ip::address_v4::loopback(), 0});
      auto served = rt.submit(there, echo, &open);
      CHECK(rt.submit(here, talk, open.local_endpoint()).get());
      CHECK(served.get() == 1);
    }
  }
}

TEST_CASE("the parallel branches of one guest never run at once, also on a pool") {
  small_runtime rt;
  const auto guest = []() -> awaitable<int> {
    using namespace asio::experimental::awaitable_operators;
    int unguarded = 0;
    const auto branch = [&unguarded]() -> awaitable<void> {
      const auto place = co_await asio::this_coro::executor;
      for (int i = 0; i < 500; ++i) {
        ++unguarded;
        co_await asio::post(place, use_awaitable);
      }
    };
    co_await (branch() && branch() && branch());
    co_return unguarded;
  };
  for (const executor_kind where : both) CHECK(rt.submit(where, guest).get() == 1500);
}

TEST_CASE("cancelling the task cancels the guest, at any moment") {
  small_runtime rt;
  const auto guest = [](int round) -> awaitable<int> {
    co_await pause(round % 2 == 0 ? std::chrono::microseconds(1h) : 20us);
    co_return 1;
  };
  for (const executor_kind where : both) {
    int cancelled = 0;
    for (int round = 0; round < 2000; ++round) {
      auto task = rt.submit(where, guest, round);
      for (std::atomic<int> step = 0; step < round % 400 * 10;) ++step;
      task.cancel();
      try {
        task.get();
      } catch (const task_cancelled&) {
        ++cancelled;
      }
    }
    CHECK(cancelled >= 1000);
  }
}

TEST_CASE("a guest that catches its cancellation ends as it likes") {
  small_runtime rt;
  std::atomic<bool> waiting{false};
  const auto guest = [&waiting]() -> awaitable<int> {
    try {
      waiting = true;
      waiting.notify_all();
      co_await pause(1h);
    } catch (const std::system_error& error) {
      co_return error.code() == asio::error::operation_aborted ? 8 : 0;
    }
    co_return 0;
  };
  for (const executor_kind where : both) {
    waiting = false;
    auto task = rt.submit(where, guest);
    waiting.wait(false);
    std::this_thread::sleep_for(5ms);  // into the wait
    CHECK(task.cancel());
    CHECK(task.get() == 8);
  }
}

TEST_CASE("an awaitable of io_context's own executor type runs on the loop") {
  small_runtime rt;
  using narrow = asio::io_context::executor_type;
  const auto guest = []() -> asio::awaitable<std::thread::id, narrow> {
    co_await asio::post(asio::use_awaitable_t<narrow>());
    co_return std::this_thread::get_id();
  };
  const auto loop_thread = rt.submit(loop, [] { return std::this_thread::get_id(); }).get();
  for (const executor_kind where : both) CHECK(rt.submit(where, guest).get() == loop_thread);
}

TEST_CASE("free functions work in a guest, and a socket that outlives it does no harm") {
  small_runtime rt;
  std::unique_ptr<asio::steady_timer> kept;
  const auto guest = [&kept]() -> awaitable<int> {
    kept = std::make_unique<asio::steady_timer>(co_await asio::this_coro::executor);
    auto other = submit(threads, [] { return 9; });
    co_return other.get();
  };
  CHECK(rt.submit(threads, guest).get() == 9);
  kept.reset();
}
