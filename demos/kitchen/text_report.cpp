#include "kitchen/text_report.hpp"

#include <fmt/format.h>

#include <brigade/measure/format.hpp>
#include <brigade/measure/measurement.hpp>
#include <brigade/measure/verdict.hpp>

#include "kitchen/gantt.hpp"
#include "kitchen/output.hpp"

namespace kitchen {
namespace {

namespace measure = brigade::measure;

std::string counted(std::size_t count, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", count, count == 1 ? one : many);
}

std::string heading(const kitchen_record& kitchen) {
  std::string text = fmt::format("{}: {} cooked for {}", to_string(kitchen.which),
                                 counted(kitchen.measured.workers, "chef", "chefs"),
                                 measure::format_seconds(kitchen.measured.medians().wall_s));
  for (const std::string& remark : kitchen.remarks)
    text += "; " + remark;
  return text;
}

std::string verdict_text(const report& all, bool colour) {
  if (!all.failure.empty()) return "No kitchen fits: " + all.failure + "\n";
  const std::string text = measure::to_text({all.fits, all.sensible, all.why});
  const auto end = text.find('\n');
  return green(text.substr(0, end), colour) + text.substr(end);
}

}  // namespace

std::string text_report(const report& all, bool colour) {
  std::string text = fmt::format(
      "Menu {}: {}, {} of each kitchen in shuffled rounds (seed {}), "
      "{}\n",
      all.menu, counted(all.dish_count, "dish", "dishes"), counted(all.runs, "run", "runs"),
      all.seed, counted(all.host.usable_cpus, "CPU", "CPUs"));
  std::vector<measure::measurement> measured;
  for (const kitchen_record& kitchen : all.kitchens) {
    text += "\n" + bold(heading(kitchen), colour) + "\n" + gantt(kitchen);
    measured.push_back(kitchen.measured);
  }
  text +=
      fmt::format("\n  {} hands busy   {} in the oven   (a bar is its kitchen's whole time)\n\n",
                  busy_glyph, oven_glyph);
  text += measure::format_table(measured) + "\n" + verdict_text(all, colour);
  for (const std::string& doubt : doubts_of(all.host))
    text += "Note: " + doubt + "\n";
  return text;
}

}  // namespace kitchen
