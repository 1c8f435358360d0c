// Runs several ways of doing the same work in turn and tells how they did.
//
//   measure::comparison comparison;
//   comparison.add({.name = "serial", .run = [&](int) { ... }});
//   comparison.add({.name = "threads", .workers = 4, .run = [&](int) { ... }});
//   const auto result = comparison.run({.runs = 5});
//   std::cout << result.to_text();
//
// Every contestant runs once in every round, in an order that is shuffled anew, so that a machine
// that gets slower or warmer does so for all. All run in this process: for figures that owe
// nothing to the others, such as memory, one process per contestant is better.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <brigade/measure/measurement.hpp>
#include <brigade/measure/verdict.hpp>

namespace brigade::measure {

struct contestant {
  std::string name = {};
  unsigned workers = 1;  // for the table
  std::function<void(int round)> run = {};
  std::function<void()> start = {};  // before each run: what it takes is the start-up time
  std::function<void()> stop = {};   // after each run, also one that threw; not measured
};

struct comparison_options {
  int runs = 5;                                 // rounds
  std::optional<std::uint64_t> seed = {};       // of the shuffling; a random one otherwise
  std::chrono::milliseconds sample_period{10};  // of memory, see peak_sampler
  std::vector<int> uncounted = {};              // processes that are not the work, see read_usage
  std::function<void(int round, const std::string& name)> on_run = {};  // progress, before each
  std::function<bool()> give_up = {};  // asked after each run: true ends it there, without that run
};

struct comparison_result {
  std::uint64_t seed = 0;                 // with which the same order comes again
  std::vector<measurement> contestants;   // in the order they were added
  // Fewer runs than asked for when it gave up; contestants may then differ by one.

  [[nodiscard]] std::string table() const { return format_table(contestants); }
  [[nodiscard]] verdict judge() const { return measure::judge(contestants); }
  [[nodiscard]] std::string to_text() const;  // the table, a blank line, the verdict
};

class comparison {
 public:
  void add(contestant one) { contestants_.push_back(std::move(one)); }

  // Throws what a contestant throws, and std::invalid_argument for runs below 1 or a contestant
  // without `run`.
  [[nodiscard]] comparison_result run(const comparison_options& options = {}) const;

 private:
  std::vector<contestant> contestants_;
};

}  // namespace brigade::measure
