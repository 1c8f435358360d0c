#include "kitchen/json_report.hpp"

namespace kitchen {
namespace {

template <class Value>
ordered_json or_null(const std::optional<Value>& value) {
  return value ? ordered_json(*value) : ordered_json(nullptr);
}

ordered_json dish_json(const dish_record& dish) {
  return {{"name", dish.name},       {"executor", dish.executor}, {"chef", dish.chef},
          {"pid", dish.pid},         {"tid", dish.tid},           {"queued_s", dish.queued_s},
          {"start_s", dish.start_s}, {"end_s", dish.end_s},       {"cpu_s", or_null(dish.cpu_s)},
          {"outcome", dish.outcome}};
}

ordered_json kitchen_json(const kitchen_record& kitchen) {
  const brigade::measure::run_figures medians = kitchen.measured.medians();
  ordered_json made = {{"executor", to_string(kitchen.which)},
                       {"chefs", kitchen.measured.workers},
                       {"wall_s", medians.wall_s},
                       {"wall_runs_s", kitchen.measured.wall_runs_s()},
                       {"startup_s", medians.startup_s},
                       {"cpu_s", medians.cpu_s},
                       {"ctx_voluntary", medians.voluntary_switches},
                       {"ctx_involuntary", medians.involuntary_switches},
                       {"peak_pss_bytes", medians.peak_pss_bytes},
                       {"hash", kitchen.median.hash},
                       {"dishes", ordered_json::array()}};
  for (const dish_record& dish : kitchen.median.dishes)
    made["dishes"].push_back(dish_json(dish));
  return made;
}

}  // namespace

ordered_json host_json(const host_facts& host) {
  return {
      {"cpus", host.cpus},
      {"usable_cpus", host.usable_cpus},
      {"affinity", host.affinity},
      {"quota_cpus", or_null(host.quota_cpus)},
      {"cpu_model", host.cpu_model},
      {"kernel", host.kernel},
      {"memory_bytes", host.memory_bytes},
      {"load_1m", host.load_1m},
      {"steal_percent", or_null(host.steal_percent)},
      {"counters", host.counters},
      {"compiler", host.compiler},
      {"debug_build", host.debug_build},
      {"sanitizer", host.sanitizer.empty() ? ordered_json(nullptr) : ordered_json(host.sanitizer)}};
}

std::string report_json(const report& all) {
  ordered_json made = {
      {"schema", "brigade.kitchen/1"},
      {"host", host_json(all.host)},
      {"order",
       {{"menu", all.menu}, {"dishes", all.dish_count}, {"runs", all.runs}, {"seed", all.seed}}},
      {"kitchens", ordered_json::array()},
      {"fits", all.fits},
      {"why", all.why}};
  for (const kitchen_record& each : all.kitchens)
    made["kitchens"].push_back(kitchen_json(each));
  return json_text(made);
}

std::string json_text(const ordered_json& document) {
  return document.dump(1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace kitchen
