#include <brigade/measure/measurement.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <tuple>

#include <brigade/measure/format.hpp>
#include <brigade/measure/statistics.hpp>
#include <brigade/measure/table.hpp>

namespace brigade::measure {
namespace {

template <class Figure>
double median_of(const std::vector<run_figures>& runs, Figure run_figures::*figure) {
  std::vector<double> values;
  for (const run_figures& run : runs) values.push_back(static_cast<double>(run.*figure));
  return median(values);
}

std::uint64_t to_count(double value) { return static_cast<std::uint64_t>(std::llround(value)); }

}  // namespace

std::vector<double> measurement::wall_runs_s() const {
  std::vector<double> walls;
  for (const run_figures& run : runs) walls.push_back(run.wall_s);
  return walls;
}

run_figures measurement::medians() const {
  return {median_of(runs, &run_figures::wall_s),
          median_of(runs, &run_figures::startup_s),
          median_of(runs, &run_figures::cpu_s),
          to_count(median_of(runs, &run_figures::voluntary_switches)),
          to_count(median_of(runs, &run_figures::involuntary_switches)),
          to_count(median_of(runs, &run_figures::peak_pss_bytes))};
}

std::size_t measurement::median_run() const {
  if (runs.empty()) return 0;
  std::vector<std::size_t> order(runs.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return std::tie(runs[a].wall_s, a) < std::tie(runs[b].wall_s, b);
  });
  return order[(order.size() - 1) / 2];
}

std::string format_table(std::span<const measurement> contestants) {
  const auto serial = std::find_if(contestants.begin(), contestants.end(),
                                   [](const measurement& one) { return one.name == "serial"; });
  table lines({{"executor", table::align::left},
               {"workers"},
               {"wall"},
               {"speed-up"},
               {"CPU"},
               {"ctx vol"},
               {"ctx invol"},
               {"peak mem"},
               {"start-up"}});
  for (const measurement& one : contestants) {
    const run_figures figures = one.medians();
    std::string speed_up;
    if (serial != contestants.end() && figures.wall_s > 0) {
      speed_up = format_ratio(serial->medians().wall_s / figures.wall_s);
    }
    lines.add_row({one.name, std::to_string(one.workers), format_seconds(figures.wall_s), speed_up,
                   format_seconds(figures.cpu_s), std::to_string(figures.voluntary_switches),
                   std::to_string(figures.involuntary_switches),
                   format_bytes(figures.peak_pss_bytes), format_seconds(figures.startup_s)});
  }
  return lines.to_text();
}

}  // namespace brigade::measure
