#include <brigade/threads/work_deque.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <memory>
#include <random>
#include <thread>
#include <vector>

using brigade::detail::work_deque;
using brigade::detail::work_item;

namespace {

struct numbered : work_item {
  std::atomic<int> taken{0};
};

}  // namespace

TEST_CASE("the owner takes the newest, a thief the oldest") {
  work_deque deque;
  numbered a, b, c;
  CHECK(deque.empty());
  CHECK(deque.pop() == nullptr);
  CHECK(deque.steal() == nullptr);
  deque.push(a);
  deque.push(b);
  deque.push(c);
  CHECK_FALSE(deque.empty());
  CHECK(deque.pop() == &c);
  CHECK(deque.steal() == &a);
  CHECK(deque.pop() == &b);
  CHECK(deque.pop() == nullptr);
  deque.push(a);
  CHECK(deque.steal() == &a);
  CHECK(deque.empty());
}

TEST_CASE("several that are pushed at once come out in their order") {
  work_deque deque;
  std::vector<numbered> items(3000);
  std::vector<work_item*> batch;
  for (std::size_t at = 0; at < items.size(); at += 15) {
    batch.clear();
    for (std::size_t each = at; each < at + 15; ++each) batch.push_back(&items[each]);
    deque.push(batch.data(), 15);
    CHECK(deque.pop() == &items[at]);
  }
  for (std::size_t at = items.size() - 15; at > 0; at -= 15) {
    for (std::size_t each = at + 1; each < at + 15; ++each) REQUIRE(deque.pop() == &items[each]);
  }
  CHECK(deque.steal() == &items[14]);
}

TEST_CASE("the deque grows and keeps its order") {
  work_deque deque;
  std::vector<numbered> items(5000);
  for (numbered& each : items) deque.push(each);
  for (std::size_t at = 0; at < 1000; ++at) REQUIRE(deque.steal() == &items[at]);
  for (std::size_t at = items.size(); at-- > 1000;) REQUIRE(deque.pop() == &items[at]);
  CHECK(deque.empty());
}

TEST_CASE("owner and thieves together take every item exactly once") {
  for (unsigned seed = 0; seed < 8; ++seed) {
    work_deque deque;
    std::vector<numbered> items(20000);
    std::atomic<std::size_t> taken{0};
    const auto take = [&taken](work_item* item) {
      if (item == nullptr) return;
      ++static_cast<numbered*>(item)->taken;
      ++taken;
    };
    std::vector<std::thread> thieves;
    for (int each = 0; each < 2; ++each) {
      thieves.emplace_back([&] {
        while (taken < items.size()) take(deque.steal());
      });
    }
    std::mt19937 random(seed);
    std::size_t next = 0;
    while (next < items.size()) {  // short bursts: the race for the last item is the point
      for (unsigned burst = random() % 4; burst > 0 && next < items.size(); --burst) {
        deque.push(items[next++]);
      }
      for (unsigned burst = random() % 4; burst > 0; --burst) take(deque.pop());
    }
    while (taken < items.size()) take(deque.pop());
    for (std::thread& each : thieves) each.join();
    int wrong = 0;
    for (const numbered& each : items) wrong += each.taken == 1 ? 0 : 1;
    CHECK(wrong == 0);
  }
}
