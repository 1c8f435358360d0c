// What the evening's measurements amount to: plain data between the cooking and its outputs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <brigade/measure/measurement.hpp>

#include "kitchen/host_facts.hpp"
#include "kitchen/settings.hpp"

namespace kitchen {

// A part of a dish. Seconds since its kitchen opened.
struct span_record {
  enum class part : std::uint8_t { timer, reply, files, cpu };
  part what = part::timer;
  double start_s = 0;
  double end_s = 0;
  bool hands_busy = false;  // else the chef was free, or stood waiting
};

struct dish_record {
  std::string name;
  std::string executor;
  unsigned chef = 0;  // counted over all chefs of the kitchen
  int pid = 0;
  int tid = 0;
  double queued_s = 0;  // seconds since the kitchen opened, like the next two
  double start_s = 0;
  double end_s = 0;
  std::optional<double> cpu_s;
  std::string outcome;  // "done", or what went wrong
  std::vector<span_record> parts;
};

// What one run of one kitchen served.
struct run_record {
  double wall_s = 0;
  std::string hash;  // over all results, in the order of the dishes
  std::vector<dish_record> dishes;
};

// What the runs of one kitchen served, and what is worth knowing beside the figures.
struct kitchen_log {
  std::vector<run_record> runs;
  std::vector<std::string> remarks;  // "file work was handed to 2 threads"
};

struct kitchen_record {
  kind which = kind::serial;
  brigade::measure::measurement measured;
  run_record median;  // the run with the median wall time
  std::vector<std::string> remarks;
};

struct report {
  host_facts host;
  std::string menu;
  std::size_t dish_count = 0;
  unsigned runs = 0;
  std::uint64_t seed = 0;
  std::vector<kitchen_record> kitchens;  // those that have finished a run
  std::string fits;                      // a kitchen's name or "too close to call"
  std::string sensible;                  // then the cheapest of those that are close
  std::vector<std::string> why;
  std::string failure;  // why no kitchen can be called the best: results differ, a dish failed
};

// Puts together what was measured with what was served, and judges. `logs` is by kitchen.
[[nodiscard]] report make_report(const settings& chosen,
                                 const std::vector<brigade::measure::measurement>& measured,
                                 const std::vector<kitchen_log>& logs);

}  // namespace kitchen
