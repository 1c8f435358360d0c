#include <brigade/measure/statistics.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

namespace brigade::measure {
namespace {

constexpr double shortest_s = 1e-9;

// P(T <= t) for t = 0, 1, ..., where T is the sum of those ranks of 1..n whose coin shows heads:
// the signed-rank statistic when there is no difference. By adding one rank after the other.
std::vector<double> signed_rank_distribution(std::size_t n) {
  const std::size_t most = n * (n + 1) / 2;
  std::vector<double> probability(most + 1, 0.0);
  probability[0] = 1.0;
  std::size_t reached = 0;
  for (std::size_t rank = 1; rank <= n; ++rank) {
    reached += rank;
    for (std::size_t t = reached + 1; t-- > 0;) {
      const double with = t >= rank ? probability[t - rank] : 0.0;
      probability[t] = (probability[t] + with) / 2;
    }
  }
  for (std::size_t t = 1; t <= most; ++t) probability[t] += probability[t - 1];
  return probability;
}

std::vector<double> sorted_pair_averages(std::span<const double> values) {
  std::vector<double> averages;
  averages.reserve(values.size() * (values.size() + 1) / 2);
  for (std::size_t i = 0; i < values.size(); ++i) {
    for (std::size_t j = i; j < values.size(); ++j) averages.push_back((values[i] + values[j]) / 2);
  }
  std::sort(averages.begin(), averages.end());
  return averages;
}

}  // namespace

double quantile(std::span<const double> values, double q) {
  if (values.empty()) return 0;
  std::vector<double> sorted(values.begin(), values.end());
  std::sort(sorted.begin(), sorted.end());
  const double place = std::clamp(q, 0.0, 1.0) * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (place - std::floor(place)) * (sorted[above] - sorted[below]);
}

double median(std::span<const double> values) { return quantile(values, 0.5); }

paired_ratio compare_rounds(std::span<const double> slow, std::span<const double> fast,
                            double confidence) {
  const std::size_t n = std::min(slow.size(), fast.size());
  paired_ratio result;
  if (n == 0) return result;
  std::vector<double> logs(n);
  for (std::size_t i = 0; i < n; ++i) {
    logs[i] = std::log(std::max(slow[i], shortest_s) / std::max(fast[i], shortest_s));
    if (logs[i] > 0) ++result.rounds_won;
  }
  const std::vector<double> averages = sorted_pair_averages(logs);
  const std::vector<double> at_most = signed_rank_distribution(n);
  // The interval leaves out as many averages at each end as the confidence allows.
  std::size_t left_out = 0;
  while (2 * (left_out + 1) < averages.size() &&
         1 - 2 * at_most[left_out + 1] >= confidence) {
    ++left_out;
  }
  result.rounds = static_cast<int>(n);
  result.ratio = std::exp(median(averages));
  result.low = std::exp(averages[left_out]);
  result.high = std::exp(averages[averages.size() - 1 - left_out]);
  result.confidence = std::max(1 - 2 * at_most[left_out], 0.0);
  return result;
}

}  // namespace brigade::measure
