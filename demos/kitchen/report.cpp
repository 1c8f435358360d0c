#include "kitchen/report.hpp"

#include <fmt/format.h>

#include <algorithm>

#include <brigade/measure/verdict.hpp>

#include "kitchen/problem.hpp"

namespace kitchen {
namespace {

namespace measure = brigade::measure;

// The first thing that went wrong in the first `runs` runs of a kitchen; empty when nothing has.
std::string failure_in(const kitchen_log& log, std::size_t runs, std::string_view name,
                       const run_record& reference, std::string_view reference_name) {
  for (std::size_t number = 0; number < runs; ++number) {
    const run_record& run = log.runs[number];
    const auto failed =
        std::find_if(run.dishes.begin(), run.dishes.end(),
                     [](const dish_record& dish) { return dish.outcome != "done"; });
    if (failed != run.dishes.end()) {
      return fmt::format("{}, run {}: dish {} failed: {}", name, number + 1,
                         in_quotes(failed->name), one_line(failed->outcome));
    }
    if (run.hash != reference.hash) {
      return fmt::format(
          "{}, run {}: its results (hash {}) differ from those of {} (hash {}); a "
          "reply, a file or a computation was altered on the way",
          name, number + 1, run.hash, reference_name, reference.hash);
    }
  }
  return {};
}

// Serial's first run is what all others must agree with, or the first kitchen's without serial.
std::string failure_of(const std::vector<kitchen_record>& kitchens,
                       const std::vector<const kitchen_log*>& logs) {
  std::size_t reference = 0;
  for (std::size_t i = 0; i < kitchens.size(); ++i) {
    if (kitchens[i].which == kind::serial) reference = i;
  }
  for (std::size_t i = 0; i < kitchens.size(); ++i) {
    const std::string failure =
        failure_in(*logs[i], kitchens[i].measured.runs.size(), to_string(kitchens[i].which),
                   logs[reference]->runs.front(), to_string(kitchens[reference].which));
    if (!failure.empty()) return failure;
  }
  return {};
}

}  // namespace

report make_report(const settings& chosen, const std::vector<measure::measurement>& measured,
                   const std::vector<kitchen_log>& logs) {
  report made;
  made.menu = chosen.dishes.name;
  made.dish_count = chosen.dishes.dishes.size();
  made.runs = chosen.runs;
  made.seed = chosen.seed;
  std::vector<const kitchen_log*> kept;
  std::vector<measure::measurement> finished;
  for (std::size_t i = 0; i < measured.size(); ++i) {
    if (measured[i].runs.empty()) continue;
    kept.push_back(&logs[i]);
    finished.push_back(measured[i]);
    const std::size_t median = measured[i].median_run();
    made.kitchens.push_back(
        {chosen.kitchens[i], measured[i], logs[i].runs[median], logs[i].remarks});
    made.kitchens.back().median.wall_s = measured[i].runs[median].wall_s;
  }
  made.failure = failure_of(made.kitchens, kept);
  if (!made.failure.empty()) {
    made.fits = "none";
    made.why = {made.failure};
    return made;
  }
  measure::verdict judged = measure::judge(finished);
  made.fits = std::move(judged.fits);
  made.sensible = std::move(judged.sensible);
  made.why = std::move(judged.why);
  return made;
}

}  // namespace kitchen
