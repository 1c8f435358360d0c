#include <brigade/work/ledger.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "toy_executor.hpp"

using namespace brigade;
using namespace std::chrono_literals;
using brigade::testing::barrier_gate;
using brigade::testing::toy_runtime;
using detail::account;
using detail::ledger;

namespace {

void submit(account& books) { books.add(books.of[0].submitted); }

}  // namespace

TEST_CASE("everybody outside shares accounts, workers have one each, and use closed ones again") {
  toy_runtime rt;
  ledger books(rt.core);
  account& first = books.open(executor_kind::threads);
  account& second = books.open(executor_kind::threads);
  CHECK(books.shared().shared());
  CHECK_FALSE(first.shared());
  CHECK(&first != &second);
  books.close(first);
  CHECK(&books.open(executor_kind::loop) == &first);
}

TEST_CASE("what was begun and has settled in different accounts adds up") {
  toy_runtime rt;
  ledger books(rt.core);
  account& worker = books.open(executor_kind::threads);
  for (int each = 0; each < 3; ++each) submit(books.shared());
  submit(worker);
  books.settle(worker);
  books.settle(worker);
  books.settle(worker);
  CHECK_FALSE(books.wait_settled(detail::clock::now() + 1ms));
  books.take_back(books.shared(), executor_kind::loop);
  CHECK(books.wait_settled(std::nullopt));
  CHECK(books.sums(executor_kind::loop).submitted == 3);
}

TEST_CASE("whoever waits is woken by the last that settles, in whatever account") {
  for (int round = 0; round < 300; ++round) {
    toy_runtime rt;
    ledger books(rt.core);
    constexpr int each = 40;
    const int outsiders = round % 2;
    for (int count = 0; count < (2 + outsiders) * each; ++count) submit(books.shared());
    std::vector<std::thread> threads;
    for (int worker = 0; worker < 2; ++worker) {
      threads.emplace_back([&] {
        account& mine = books.open(executor_kind::threads);  // perhaps while somebody waits
        for (int count = 0; count < each; ++count) books.settle(mine);
      });
    }
    if (outsiders != 0) {
      threads.emplace_back([&] {
        for (int count = 0; count < each; ++count) books.settle(books.shared());
      });
    }
    std::thread other([&] { CHECK(books.wait_settled(std::nullopt)); });
    CHECK(books.wait_settled(std::nullopt));  // hangs when a wake-up is lost
    other.join();
    for (std::thread& thread : threads) thread.join();
  }
}

TEST_CASE("tasks that submit tasks keep shutdown waiting to the last of them") {
  for (int round = 0; round < 50; ++round) {
    std::atomic<int> ran{0};
    toy_runtime rt;
    struct grow {
      submitter to;
      std::atomic<int>* ran;
      int depth;
      void operator()() const {
        ++*ran;
        if (depth == 0) return;
        to_post(depth - 1);
        to_post(depth - 1);
      }
      void to_post(int next) const {
        submitter(to).post(threads, grow{to, ran, next});
      }
    };
    rt.post(threads, grow{rt, &ran, 7});
    rt.shutdown(shutdown_mode::drain);
    CHECK(ran == 255);
  }
}

TEST_CASE("statistics agree once all has ended") {
  toy_runtime rt;
  for (int each = 0; each < 100; ++each) rt.post(threads, [] {});
  barrier_gate door;
  auto last = rt.submit(threads, [&] { door.pass(); });
  door.open();
  last.get();
  rt.shutdown(shutdown_mode::drain);
  const executor_stats stats = rt.stats(executor_kind::threads);
  CHECK(stats.submitted == 101);
  CHECK(stats.started == 101);
  CHECK(stats.finished == 101);
  CHECK(stats.cancelled == 0);
  CHECK(stats.queued == 0);
}
