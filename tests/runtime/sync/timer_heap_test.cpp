#include <brigade/sync/timer_heap.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <random>
#include <vector>

using steady = std::chrono::steady_clock;
using brigade::detail::timer_heap;
using brigade::detail::timer_node;
using std::chrono::milliseconds;

namespace {

steady::time_point at(int millisecond) { return steady::time_point(milliseconds(millisecond)); }

}  // namespace

TEST_CASE("timers come out in the order of their deadlines, and not before") {
  timer_heap heap;
  timer_node first, second, third;
  CHECK(heap.add(second, at(20)));
  CHECK_FALSE(heap.add(third, at(30)));
  CHECK(heap.add(first, at(10)));
  CHECK(heap.next() == at(10));
  CHECK(heap.take_due(at(9)) == nullptr);
  CHECK(heap.take_due(at(25)) == &first);
  CHECK(heap.take_due(at(25)) == &second);
  CHECK(heap.take_due(at(25)) == nullptr);
  CHECK(heap.size() == 1);
  CHECK(third.pending());
  CHECK_FALSE(first.pending());
}

TEST_CASE("a timer can be cancelled once, and used again") {
  timer_heap heap;
  timer_node node;
  CHECK_FALSE(heap.cancel(node));
  heap.add(node, at(1));
  CHECK(heap.cancel(node));
  CHECK_FALSE(heap.cancel(node));
  CHECK(heap.empty());
  heap.add(node, at(2));
  CHECK(heap.take_due(at(2)) == &node);
  CHECK_FALSE(heap.cancel(node));
}

TEST_CASE("timers of one duration come out in their order, however many were cancelled meanwhile") {
  timer_heap heap;
  std::vector<timer_node> nodes(20000);
  std::size_t next_out = 0;
  std::size_t pending = 0;
  const auto cancelled = [](std::size_t at) { return at % 7 != 0; };
  for (std::size_t each = 0; each < nodes.size(); ++each) {
    const int now = static_cast<int>(each);
    heap.add(nodes[each], at(now + 1000));
    ++pending;
    if (each >= 10 && cancelled(each - 10)) {
      REQUIRE(heap.cancel(nodes[each - 10]));
      --pending;
    }
    while (timer_node* const due = heap.take_due(at(now))) {
      while (cancelled(next_out)) ++next_out;
      REQUIRE(due == &nodes[next_out++]);
      --pending;
    }
    REQUIRE(heap.size() == pending);
  }
  while (timer_node* const due = heap.take_due(at(1'000'000))) {
    while (next_out + 10 < nodes.size() && cancelled(next_out)) ++next_out;
    REQUIRE(due == &nodes[next_out++]);
  }
  CHECK(heap.empty());
  CHECK(next_out == nodes.size());
}

TEST_CASE("random additions, cancellations and expiries agree with a sorted model") {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    std::mt19937 random(seed);
    timer_heap heap;
    std::multimap<steady::time_point, timer_node*> model;
    std::vector<std::unique_ptr<timer_node>> nodes;
    for (int each = 0; each < 300; ++each) nodes.push_back(std::make_unique<timer_node>());
    int now = 0;
    for (int step = 0; step < 4000; ++step) {
      timer_node& node = *nodes[random() % nodes.size()];
      const unsigned what = random() % 10;
      if (what < 6 && !node.pending()) {
        const steady::time_point deadline = at(now + static_cast<int>(random() % 50));
        const bool earliest = model.empty() || deadline < model.begin()->first;
        REQUIRE(heap.add(node, deadline) == earliest);
        model.emplace(deadline, &node);
      } else if (what < 8) {
        const bool was_pending = node.pending();
        REQUIRE(heap.cancel(node) == was_pending);
        std::erase_if(model, [&](const auto& entry) { return entry.second == &node; });
      } else {
        now += static_cast<int>(random() % 8);
        steady::time_point previous = steady::time_point::min();
        while (timer_node* const due = heap.take_due(at(now))) {
          const auto entry = std::find_if(model.begin(), model.end(),
                                          [&](const auto& each) { return each.second == due; });
          REQUIRE(entry != model.end());
          REQUIRE(entry->first == model.begin()->first);
          REQUIRE(entry->first >= previous);
          previous = entry->first;
          model.erase(entry);
        }
        REQUIRE((model.empty() || model.begin()->first > at(now)));
      }
      REQUIRE(heap.size() == model.size());
      if (!model.empty()) REQUIRE(heap.next() == model.begin()->first);
    }
  }
}
