#include <brigade/reactor/run_queue.hpp>

#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <deque>
#include <thread>
#include <vector>

using brigade::priority;
using brigade::detail::loop_inbox;
using brigade::detail::run_queue;
using brigade::detail::work_item;

TEST_CASE("a run queue is first in, first out within a level, and takes higher levels first") {
  std::array<work_item, 6> items;
  items[1].level = priority::low;
  items[3].level = priority::high;
  items[5].level = priority::high;
  run_queue queue;
  CHECK(queue.empty());
  for (work_item& each : items) queue.push(each);
  const std::array<int, 6> order{3, 5, 0, 2, 4, 1};
  for (const int expected : order) {
    CHECK(&queue.pop() == &items[static_cast<std::size_t>(expected)]);
  }
  CHECK(queue.empty());
}

TEST_CASE("only the first push after idleness says that the loop has to be woken") {
  std::array<work_item, 3> items;
  loop_inbox inbox;
  CHECK(inbox.push(items[0]));
  CHECK_FALSE(inbox.push(items[1]));
  CHECK_FALSE(inbox.wake());
  run_queue queue;
  inbox.take_all(queue);
  CHECK(&queue.pop() == &items[0]);
  CHECK(&queue.pop() == &items[1]);
  CHECK_FALSE(inbox.push(items[2]));  // the loop still looks
  CHECK_FALSE(inbox.try_idle());      // and would miss this one
  inbox.take_all(queue);
  CHECK(&queue.pop() == &items[2]);
  CHECK(inbox.try_idle());
  CHECK(inbox.wake());
  CHECK_FALSE(inbox.wake());
}

TEST_CASE("no item is lost or doubled when several threads push while one takes and idles") {
  constexpr int pushers = 3;
  constexpr int each = 20000;
  struct counted : work_item {
    int seen = 0;
  };
  std::vector<std::vector<counted>> items(pushers);
  loop_inbox inbox;
  std::atomic<int> wakes{0};  // like a semaphore: turns that were arranged
  std::vector<std::thread> threads;
  for (auto& mine : items) {
    mine = std::vector<counted>(each);
    threads.emplace_back([&inbox, &mine, &wakes] {
      for (counted& item : mine) {
        if (inbox.push(item)) {
          wakes.fetch_add(1);
          wakes.notify_one();
        }
      }
    });
  }
  int taken = 0;
  run_queue queue;
  while (taken < pushers * each) {
    wakes.wait(0);
    CHECK(wakes.fetch_sub(1) == 1);  // never two turns at once
    do {
      inbox.take_all(queue);
      while (!queue.empty()) {
        ++static_cast<counted&>(queue.pop()).seen;
        ++taken;
      }
    } while (!inbox.try_idle());
  }
  for (std::thread& thread : threads) thread.join();
  bool once = true;
  for (const auto& mine : items) {
    for (const counted& item : mine) once = once && item.seen == 1;
  }
  CHECK(once);
}
