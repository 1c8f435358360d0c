// Statistics for a handful of runs: robust, exact for small numbers, and honest about how little a
// few rounds can prove.
#pragma once

#include <span>

namespace brigade::measure {

// The value below which the share `q` of them lies, interpolated between neighbours; 0 for none.
[[nodiscard]] double quantile(std::span<const double> values, double q);
[[nodiscard]] double median(std::span<const double> values);

// How many times as long `slow` took as `fast`, where both have run in the same rounds: what
// disturbed a round has disturbed both, so rounds are compared one by one.
//
// The estimate is Hodges and Lehmann's: the median of the averages of all pairs of log ratios
// (Hollander, Wolfe: Nonparametric Statistical Methods, 3.2). The interval belongs to Wilcoxon's
// signed-rank test and is exact for any number of rounds, without assuming a distribution.
struct paired_ratio {
  double ratio = 1;  // above 1: `fast` is faster
  double low = 1;    // the interval of the ratio
  double high = 1;
  double confidence = 0;  // of that interval: as asked, or what so few rounds can give
  int rounds = 0;
  int rounds_won = 0;  // in which `fast` was faster
};

// Pairs slow[i] with fast[i], as many as both have. With n rounds no interval has a confidence
// above 1 - 2 / 2^n: 0.94 for five, 0.97 for six. Durations of zero count as a nanosecond.
[[nodiscard]] paired_ratio compare_rounds(std::span<const double> slow,
                                          std::span<const double> fast,
                                          double confidence = 0.95);

}  // namespace brigade::measure
