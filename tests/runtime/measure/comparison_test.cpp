#include <brigade/measure/comparison.hpp>

#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <brigade/os/clock.hpp>
#include <brigade/os/pipe.hpp>
#include <brigade/os/process.hpp>

using namespace brigade;
using namespace std::chrono_literals;

namespace {

void burn(std::chrono::milliseconds cpu) {
  const auto end = os::thread_cpu_time() + cpu;
  while (os::thread_cpu_time() < end) {
  }
}

std::vector<std::string> order_with(std::uint64_t seed) {
  std::vector<std::string> order;
  measure::comparison comparison;
  for (const std::string name : {"a", "b", "c", "d"}) {
    comparison.add({.name = name, .run = [&order, name](int round) {
                      order.push_back(name + std::to_string(round));
                    }});
  }
  CHECK(comparison.run({.runs = 4, .seed = seed}).seed == seed);
  return order;
}

// One run may meet a moment in which the machine takes the CPU away, which counts as used.
double least_cpu_s(const measure::measurement& measured) {
  double least = measured.runs.front().cpu_s;
  for (const auto& run : measured.runs)
    least = std::min(least, run.cpu_s);
  return least;
}

}  // namespace

TEST_CASE("waiting and working are told apart by what the runs used") {
  measure::comparison comparison;
  comparison.add({.name = "serial", .run = [](int) { burn(60ms); }});
  comparison.add({.name = "wait", .workers = 3, .run = [](int) {
                    std::this_thread::sleep_for(20ms);  // the work that is measured
                  }});
  const auto result = comparison.run({.runs = 3});
  REQUIRE(result.contestants.size() == 2);
  const auto work = result.contestants[0].medians();
  const auto wait = result.contestants[1].medians();
  CHECK(result.contestants[1].workers == 3);
  CHECK(result.contestants[0].runs.size() == 3);
  CHECK(work.wall_s >= 0.06);
  CHECK(work.cpu_s >= 0.06);
  CHECK(wait.wall_s >= 0.02);
  CHECK(wait.cpu_s < work.cpu_s);
  CHECK(wait.voluntary_switches >= 1);
  CHECK(work.peak_pss_bytes > 0);
  CHECK(result.to_text().find("\nserial ") != std::string::npos);
  CHECK(result.to_text().find("\nFits: ") != std::string::npos);
}

TEST_CASE("the order is shuffled in every round and comes again with its seed") {
  const auto order = order_with(7);
  REQUIRE(order.size() == 16);
  CHECK(order == order_with(7));
  CHECK(order != order_with(8));
  for (std::size_t i = 0; i < order.size(); ++i) {
    CHECK(order[i].back() == static_cast<char>('0' + i / 4));  // whole rounds
  }
}

TEST_CASE("starting and stopping belong to each run and are apart from it") {
  std::vector<std::string> steps;
  measure::comparison comparison;
  comparison.add({.name = "one",
                  .run = [&](int) { steps.push_back("run"); },
                  .start =
                      [&] {
                        burn(100ms);
                        steps.push_back("start");
                      },
                  .stop = [&] { steps.push_back("stop"); }});
  const auto result = comparison.run({.runs = 2});
  CHECK(steps == std::vector<std::string>{"start", "run", "stop", "start", "run", "stop"});
  CHECK(result.contestants[0].medians().startup_s >= 0.1);
  CHECK(least_cpu_s(result.contestants[0]) < 0.1);
}

TEST_CASE("work that child processes do counts for the contestant that has them") {
  std::optional<os::child_process> worker;
  os::pipe orders;
  os::pipe results;
  const auto order = [&] {
    std::byte one{1};
    os::write_full(orders.write_end.get(), {&one, 1});
    CHECK(os::read_full(results.read_end.get(), {&one, 1}) == 1);
  };
  measure::comparison comparison;
  comparison.add({.name = "processes",
                  .run = [&](int) { order(); },
                  .start =
                      [&] {
                        orders = os::make_pipe();
                        results = os::make_pipe();
                        worker.emplace(os::fork_child());
                        if (worker->pid() != 0) return;
                        std::byte one;
                        while (os::read_full(orders.read_end.get(), {&one, 1}) == 1) {
                          burn(50ms);
                          os::write_full(results.write_end.get(), {&one, 1});
                        }
                        ::_exit(0);
                      },
                  .stop = [&] { worker.reset(); }});
  const auto result = comparison.run({.runs = 4});
  CHECK(result.contestants[0].medians().cpu_s >= 0.05);
  CHECK(least_cpu_s(result.contestants[0]) < 0.09);  // counted once
}

TEST_CASE("a contestant that throws is stopped, and what it threw comes out") {
  bool stopped = false;
  measure::comparison comparison;
  comparison.add({.name = "bad",
                  .run = [](int) { throw std::out_of_range("burnt"); },
                  .stop =
                      [&] {
                        stopped = true;
                        throw std::logic_error("second");
                      }});
  CHECK_THROWS_AS((void)comparison.run(), std::out_of_range);
  CHECK(stopped);
}

TEST_CASE("a comparison that measures nothing is refused") {
  measure::comparison comparison;
  CHECK_THROWS_AS((void)comparison.run({.runs = 0}), std::invalid_argument);
  CHECK(comparison.run().contestants.empty());
  comparison.add({.name = "empty"});
  CHECK_THROWS_AS((void)comparison.run(), std::invalid_argument);
}

TEST_CASE("whoever watches is told of every run") {
  measure::comparison comparison;
  comparison.add({.name = "one", .run = [](int) {}});
  std::vector<std::string> seen;
  (void)comparison.run({.runs = 2, .on_run = [&](int round, const std::string& name) {
                          seen.push_back(name + std::to_string(round));
                        }});
  CHECK(seen == std::vector<std::string>{"one0", "one1"});
}

TEST_CASE("giving up keeps the runs that had ended before") {
  measure::comparison comparison;
  int runs = 0;
  comparison.add({.name = "one", .run = [&](int) { ++runs; }});
  const auto result = comparison.run({.runs = 9, .give_up = [&] { return runs == 3; }});
  CHECK(runs == 3);
  CHECK(result.contestants[0].runs.size() == 2);
}
