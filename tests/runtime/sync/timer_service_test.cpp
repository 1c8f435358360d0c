#include <brigade/sync/timer_service.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <random>
#include <semaphore>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;
using brigade::detail::timer_node;
using brigade::detail::timer_service;

namespace {

struct counted : timer_node {
  counted() {
    fire = [](timer_node& self) noexcept {
      auto& me = static_cast<counted&>(self);
      me.fired_at = steady::now();
      me.fired.fetch_add(1, std::memory_order_release);
      me.rang.release();
    };
  }
  steady::time_point fired_at{};
  std::atomic<int> fired{0};
  std::binary_semaphore rang{0};
};

}  // namespace

TEST_CASE("a timer fires once, after its deadline") {
  timer_service service;
  counted node;
  const steady::time_point deadline = steady::now() + 5ms;
  service.add(node, deadline);
  node.rang.acquire();
  CHECK(node.fired_at >= deadline);
  CHECK(node.fired == 1);
  CHECK_FALSE(service.cancel(node));
}

TEST_CASE("an earlier timer is not kept waiting by a later one") {
  timer_service service;
  counted late;
  counted soon;
  service.add(late, steady::now() + 1h);
  service.add(soon, steady::now() + 1ms);
  soon.rang.acquire();
  CHECK(late.fired == 0);
  CHECK(service.cancel(late));
}

TEST_CASE("a deadline that has passed fires at once") {
  timer_service service;
  counted node;
  service.add(node, steady::time_point::min());
  node.rang.acquire();
  CHECK(node.fired == 1);
}

TEST_CASE("a cancelled timer never fires, one that was not cancelled does") {
  timer_service service;
  std::mt19937 random(7);
  for (int round = 0; round < 50; ++round) {
    std::vector<std::unique_ptr<counted>> nodes;
    for (int each = 0; each < 40; ++each) {
      nodes.push_back(std::make_unique<counted>());
      service.add(*nodes.back(), steady::now() + std::chrono::microseconds(random() % 300));
    }
    std::vector<bool> cancelled(nodes.size());
    std::thread other([&] {
      for (std::size_t at = 0; at < nodes.size(); at += 2) {
        cancelled[at] = service.cancel(*nodes[at]);
      }
    });
    other.join();
    for (std::size_t at = 0; at < nodes.size(); ++at) {
      if (!cancelled[at]) nodes[at]->rang.acquire();
      CHECK(nodes[at]->fired == (cancelled[at] ? 0 : 1));
    }
  }
}

TEST_CASE("waiting for idleness waits for the callback that runs") {
  struct slow : timer_node {
    std::binary_semaphore entered{0};
    std::binary_semaphore leave{0};
    std::atomic<bool> left{false};
  };
  timer_service service;
  service.wait_idle();  // no thread yet
  slow node;
  node.fire = [](timer_node& self) noexcept {
    auto& me = static_cast<slow&>(self);
    me.entered.release();
    me.leave.acquire();
    me.left = true;
  };
  service.add(node, steady::now());
  node.entered.acquire();
  std::jthread opener([&node] { node.leave.release(); });
  service.wait_idle();
  CHECK(node.left);
}

TEST_CASE("threads that add and cancel at once each get an answer that holds") {
  timer_service service;
  std::atomic<int> wrong{0};
  std::vector<std::thread> users;
  for (unsigned user = 0; user < 4; ++user) {
    users.emplace_back([&service, &wrong, user] {
      std::mt19937 random(user);
      for (int round = 0; round < 1000; ++round) {
        counted node;
        service.add(node, steady::now() + std::chrono::microseconds(random() % 40));
        if (random() % 2 == 0) std::this_thread::yield();
        const bool cancelled = service.cancel(node);
        if (!cancelled) node.rang.acquire();  // its callback still uses it
        if (node.fired != (cancelled ? 0 : 1)) ++wrong;
      }
    });
  }
  for (std::thread& each : users) each.join();
  CHECK(wrong == 0);
}
