// What was measured of one contestant in every round, and the table that shows several.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace brigade::measure {

struct run_figures {
  double wall_s = 0;
  double startup_s = 0;  // before and apart from wall_s
  double cpu_s = 0;      // user and system, of the whole process tree
  std::uint64_t voluntary_switches = 0;
  std::uint64_t involuntary_switches = 0;
  std::uint64_t peak_pss_bytes = 0;
};

struct measurement {
  std::string name;
  unsigned workers = 1;
  std::vector<run_figures> runs;  // by round: runs[3] of all contestants belong together

  [[nodiscard]] std::vector<double> wall_runs_s() const;
  [[nodiscard]] run_figures medians() const;    // of each figure by itself
  [[nodiscard]] std::size_t median_run() const;  // whose wall time is the (lower) median; 0 if none
};

// One line per contestant, of medians. The speed-up is against the contestant "serial", and is
// left out when there is none.
[[nodiscard]] std::string format_table(std::span<const measurement> contestants);

}  // namespace brigade::measure
