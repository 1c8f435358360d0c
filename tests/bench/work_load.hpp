// What the tasks of the benchmarks do: write a number, or spin for a time.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "bench.hpp"

namespace bench {

// One result slot for each task that is around at a time, so that tasks share no cache line.
class slots {
 public:
  [[nodiscard]] cargo load(std::size_t index) {
    return {&values_[8 * (index % count)], {index, 1, 2, 3, 4}};
  }

 private:
  static constexpr std::size_t count = 4096;
  std::vector<std::uint64_t> values_ = std::vector<std::uint64_t>(8 * count);
};

inline void touch(const cargo& with) {
  std::atomic_ref<std::uint64_t>(*with.out).store(with.more[0] + with.more[4],
                                                  std::memory_order_relaxed);
}

inline void spin(std::uint64_t steps) {
  std::uint64_t value = steps;
  for (std::uint64_t step = 0; step < steps; ++step) {
    value = value * 6364136223846793005U + 1442695040888963407U;
    keep(value);
  }
}

inline std::uint64_t steps_for(double microseconds) {
  constexpr std::uint64_t probe = 1'000'000;
  double best = 1e9;
  for (int round = 0; round < 3; ++round) {
    const stopwatch watch;
    spin(probe);
    best = std::min(best, watch.seconds());
  }
  return static_cast<std::uint64_t>(probe * microseconds * 1e-6 / best);
}

}  // namespace bench
