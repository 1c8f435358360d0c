// The contract: every promise is written once and holds on every executor, however it was chosen.
//
// A case is a template over the ways to say where. A later executor is added in one place: here.
#pragma once

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <thread>

#include <brigade/brigade.hpp>

namespace contract {

using namespace std::chrono_literals;
namespace bg = brigade;

// Chosen by a tag, at compile time.
template <auto Tag>
struct by_tag {
  static constexpr bg::executor_kind kind = Tag;
  static auto where() { return Tag; }
};
// Chosen by a flag, at run time.
template <auto Tag>
struct by_flag {
  static constexpr bg::executor_kind kind = Tag;
  static bg::executor_kind where() { return bg::parse_executor(bg::to_string(kind)); }
};

#define CONTRACT_ALL                                                                          \
  contract::by_tag<bg::loop>, contract::by_tag<bg::threads>, contract::by_tag<bg::processes>, \
      contract::by_flag<bg::loop>, contract::by_flag<bg::threads>,                            \
      contract::by_flag<bg::processes>

// Where the way of choosing makes no difference to what is tested.
#define CONTRACT_EACH \
  contract::by_tag<bg::loop>, contract::by_tag<bg::threads>, contract::by_flag<bg::processes>

constexpr auto limit = 60s;  // far above what anything takes, below the watchdog

inline bg::runtime_options two_workers() {
  bg::runtime_options options;
  options.threads.workers = 2;
  options.processes.workers = 2;
  options.processes.stop_grace = limit;  // who obeys does, however late the machine lets it
  return options;
}

// One worker each: what is submitted behind a running task stays queued.
inline bg::runtime_options one_worker() {
  bg::runtime_options options;
  options.threads.workers = 1;
  options.processes.workers = 1;
  options.processes.stop_grace = limit;
  return options;
}

template <class R>
bool await_started(const bg::future<R>& task) {
  const auto until = std::chrono::steady_clock::now() + limit;
  while (task.stats().started == std::chrono::steady_clock::time_point{}) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::yield();
  }
  return true;
}

template <class Predicate>
bool await_true(const Predicate& predicate) {
  const auto until = std::chrono::steady_clock::now() + limit;
  while (!predicate()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::yield();
  }
  return true;
}

// Runs until it is asked to stop.
inline int until_stopped(std::stop_token stop) {
  while (!stop.stop_requested())
    std::this_thread::sleep_for(1ms);
  return 7;
}

inline bg::task<int> sleep_for_ever() {
  for (;;)
    co_await bg::sleep_for(1h);
}

inline int square(int x) { return x * x; }

inline bg::task<int> square_later(int x) {
  co_await bg::sleep_for(1ms);
  co_return x * x;
}

inline asio::awaitable<int> square_as_guest(int x) {
  asio::steady_timer timer(co_await asio::this_coro::executor, 1ms);
  co_await timer.async_wait(asio::use_awaitable);
  co_return x * x;
}

}  // namespace contract

namespace bg = brigade;
