#include <brigade/measure/comparison.hpp>

#include <numeric>
#include <random>
#include <stdexcept>
#include <utility>

#include <brigade/measure/usage.hpp>
#include <brigade/os/process.hpp>

namespace brigade::measure {
namespace {

using std::chrono::steady_clock;

double seconds_since(steady_clock::time_point begin) {
  return std::chrono::duration<double>(steady_clock::now() - begin).count();
}

run_figures measure_started(const contestant& one, int round, const comparison_options& options) {
  run_figures figures;
  if (one.start) {
    const auto begin = steady_clock::now();
    one.start();
    figures.startup_s = seconds_since(begin);
  }
  const usage before = read_usage(options.uncounted);
  peak_sampler sampler(options.sample_period, options.uncounted);
  const auto begin = steady_clock::now();
  one.run(round);
  figures.wall_s = seconds_since(begin);
  figures.peak_pss_bytes = sampler.stop();
  const usage used = read_usage(options.uncounted) - before - sampler.cost();
  figures.cpu_s = used.cpu_s();
  figures.voluntary_switches = used.voluntary_switches;
  figures.involuntary_switches = used.involuntary_switches;
  return figures;
}

run_figures measure_one(const contestant& one, int round, const comparison_options& options) {
  os::release_free_memory();  // what the run before has freed is not this one's memory
  run_figures figures;
  try {
    figures = measure_started(one, round, options);
  } catch (...) {
    try {
      if (one.stop) one.stop();
    } catch (...) {  // the first failure is the one to tell of
    }
    throw;
  }
  if (one.stop) one.stop();
  return figures;
}

}  // namespace

std::string comparison_result::to_text() const {
  return table() + "\n" + measure::to_text(judge());
}

comparison_result comparison::run(const comparison_options& options) const {
  if (options.runs < 1) {
    throw std::invalid_argument("a comparison of " + std::to_string(options.runs) +
                                " runs measures nothing: ask for 1 or more");
  }
  comparison_result result;
  for (const contestant& one : contestants_) {
    if (!one.run) {
      throw std::invalid_argument("contestant '" + one.name + "' has nothing to run: set .run");
    }
    result.contestants.push_back({one.name, one.workers, {}});
  }
  result.seed = options.seed ? *options.seed : std::random_device{}();
  std::mt19937_64 random(result.seed);
  std::vector<std::size_t> order(contestants_.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  for (int round = 0; round < options.runs; ++round) {
    // By hand, since std::shuffle gives another order with another standard library.
    for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random() % i]);
    for (const std::size_t i : order) {
      if (options.on_run) options.on_run(round, contestants_[i].name);
      const run_figures figures = measure_one(contestants_[i], round, options);
      if (options.give_up && options.give_up()) return result;
      result.contestants[i].runs.push_back(figures);
    }
  }
  return result;
}

}  // namespace brigade::measure
