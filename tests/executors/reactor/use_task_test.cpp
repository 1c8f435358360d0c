#include <brigade/reactor/use_task.hpp>

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <tuple>
#include <vector>

#include <asio/connect.hpp>
#include <asio/dispatch.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/post.hpp>
#include <asio/read.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/thread_pool.hpp>
#include <asio/write.hpp>

#include <brigade/reactor/io_context.hpp>

#include "as_tuple.hpp"
#include "small_runtime.hpp"

using namespace brigade;
using namespace std::chrono_literals;
using asio::ip::tcp;
using brigade::testing::as_tuple;
using brigade::testing::both;
using brigade::testing::small_runtime;

namespace {

// A listener on a free port of this machine.
struct listener {
  explicit listener(small_runtime& rt)
      : acceptor(rt.core.io()->context(), {asio::ip::address_v4::loopback(), 0}) {}
  [[nodiscard]] tcp::endpoint address() const { return acceptor.local_endpoint(); }
  tcp::acceptor acceptor;
};

task<void> echo(tcp::socket peer) {
  std::array<char, 64> data{};
  for (;;) {
    asio::error_code failure;
    const std::size_t size =
        co_await peer.async_read_some(asio::buffer(data), asio::redirect_error(use_task, failure));
    if (failure == asio::error::eof) co_return;
    if (failure) throw std::system_error(failure);
    co_await asio::async_write(peer, asio::buffer(data, size), use_task);
  }
}

task<void> serve(tcp::acceptor& acceptor, int connections) {
  std::vector<future<void>> served;
  for (int i = 0; i < connections; ++i) {
    tcp::socket peer = co_await acceptor.async_accept(use_task);
    const auto where = current().executor.value();
    served.push_back(submit(where, echo, std::move(peer)));
  }
  for (auto& each : served) co_await std::move(each);
}

task<int> talk(tcp::endpoint to, int rounds) {
  const auto home = current().executor;
  tcp::socket socket(io_context());
  co_await socket.async_connect(to, use_task);
  int right = 0;
  for (int round = 0; round < rounds; ++round) {
    const std::string said = "round " + std::to_string(round);
    co_await asio::async_write(socket, asio::buffer(said), use_task);
    std::string heard(said.size(), ' ');
    const std::size_t size = co_await asio::async_read(socket, asio::buffer(heard), use_task);
    if (size == said.size() && heard == said && current().executor == home) ++right;
  }
  co_return right;
}

}  // namespace

TEST_CASE("clients and servers talk over real sockets, on the loop and on threads") {
  small_runtime rt;
  for (const executor_kind there : both) {
    for (const executor_kind here : both) {
      listener open(rt);
      auto served = rt.submit(there, [&open] { return serve(open.acceptor, 8); });
      std::vector<future<int>> clients;
      for (int i = 0; i < 8; ++i) clients.push_back(rt.submit(here, talk, open.address(), 50));
      for (auto& each : clients) CHECK(each.get() == 50);
      served.get();
    }
  }
}

TEST_CASE("an error code that comes first is thrown as system_error") {
  small_runtime rt;
  tcp::endpoint nobody;
  {
    listener open(rt);
    nobody = open.address();
  }
  for (const executor_kind where : both) {
    auto refused = rt.submit(where, talk, nobody, 1);
    try {
      refused.get();
      FAIL("connected to nobody");
    } catch (const std::system_error& error) {
      CHECK(error.code() == asio::error::connection_refused);
    }
  }
}

TEST_CASE("redirect_error and as_tuple hand the error over instead") {
  small_runtime rt;
  tcp::endpoint nobody;
  {
    listener open(rt);
    nobody = open.address();
  }
  const auto connect = [](tcp::endpoint to) -> task<std::vector<asio::error_code>> {
    std::vector<asio::error_code> failures(1);
    tcp::socket first(io_context());
    co_await first.async_connect(to, asio::redirect_error(use_task, failures[0]));
    tcp::socket second(io_context());
    const auto [failure] =
        co_await second.async_connect(to, as_tuple(use_task));
    failures.push_back(failure);
    co_return failures;
  };
  for (const executor_kind where : both) {
    for (const asio::error_code& failure : rt.submit(where, connect, nobody).get()) {
      CHECK(failure == asio::error::connection_refused);
    }
  }
}

namespace {

template <class... Results, class Token, class... Values>
auto deliver(Token&& token, Values... values) {
  return asio::async_initiate<Token, void(Results...)>(
      [](auto handler, Values... given) {
        asio::post(io_context(), [handler = std::move(handler),
                                  ... given = std::move(given)]() mutable {
          std::move(handler)(std::move(given)...);
        });
      },
      token, std::move(values)...);
}

task<std::string> all_forms() {
  co_await deliver<>(use_task);
  const int one = co_await deliver<int>(use_task, 1);
  const auto [two, three] = co_await deliver<int, std::string>(use_task, 2, std::string("3"));
  const auto [four, five] =
      co_await deliver<asio::error_code, int, int>(use_task, asio::error_code(), 4, 5);
  co_await deliver<std::exception_ptr>(use_task, std::exception_ptr());
  const std::unique_ptr<int> six = co_await deliver<std::exception_ptr, std::unique_ptr<int>>(
      use_task, std::exception_ptr(), std::make_unique<int>(6));
  std::string text = std::to_string(one) + std::to_string(two) + three + std::to_string(four) +
                     std::to_string(five) + std::to_string(*six);
  try {
    co_await deliver<std::exception_ptr, int>(
        use_task, std::make_exception_ptr(std::out_of_range("seven")), 7);
  } catch (const std::out_of_range& error) {
    text += error.what();
  }
  co_return text;
}

}  // namespace

TEST_CASE("no result is void, one is itself, several are a tuple; a leading exception is thrown") {
  small_runtime rt;
  for (const executor_kind where : both) CHECK(rt.submit(where, all_forms).get() == "123456seven");
}

TEST_CASE("an operation that completes while it is started does not confuse the task") {
  small_runtime rt;
  const auto dispatch = [](int count) -> task<int> {
    int done = 0;
    for (; done < count; ++done) co_await asio::dispatch(io_context(), use_task);
    co_return done;
  };
  for (const executor_kind where : both) {
    CHECK(rt.submit(where, dispatch, 1000).get() == 1000);
  }
}

TEST_CASE("what starting the operation throws comes out of the co_await") {
  small_runtime rt;
  const auto start = []() -> task<void> {
    auto token = use_task;
    co_await asio::async_initiate<use_task_t, void(asio::error_code)>(
        [](auto) { throw std::length_error("not today"); }, token);
  };
  for (const executor_kind where : both) {
    CHECK_THROWS_AS(rt.submit(where, start).get(), std::length_error);
  }
}

TEST_CASE("an operation that drops its handler ends the wait") {
  small_runtime rt;
  const auto start = []() -> task<void> {
    auto token = use_task;
    co_await asio::async_initiate<use_task_t, void(asio::error_code)>([](auto) {}, token);
  };
  for (const executor_kind where : both) {
    CHECK_THROWS_AS(rt.submit(where, start).get(), std::system_error);
  }
}

TEST_CASE("operations of foreign contexts complete on the task's own executor") {
  small_runtime rt;
  asio::thread_pool foreign(1);
  const auto visit = [&foreign]() -> task<bool> {
    const auto home = current().executor;
    co_await asio::post(foreign, use_task);
    asio::steady_timer timer(foreign, 1ms);
    co_await timer.async_wait(use_task);
    co_return current().executor == home;
  };
  for (const executor_kind where : both) CHECK(rt.submit(where, visit).get());
  foreign.join();
}

TEST_CASE("a handler that is called on a foreign thread, against the rules, does no harm") {
  small_runtime rt;
  const auto start = []() -> task<int> {
    const auto home = current().executor;
    auto token = use_task;
    const int value = co_await asio::async_initiate<use_task_t, void(int)>(
        [](auto handler) {
          std::thread([handler = std::move(handler)]() mutable { std::move(handler)(3); }).detach();
        },
        token);
    co_return current().executor == home ? value : 0;
  };
  for (const executor_kind where : both) {
    for (int i = 0; i < 50; ++i) CHECK(rt.submit(where, start).get() == 3);
  }
}
