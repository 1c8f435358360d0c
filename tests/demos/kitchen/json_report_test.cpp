#include "kitchen/json_report.hpp"

#include <doctest/doctest.h>

using namespace kitchen;

namespace {

std::vector<std::string> keys_of(const ordered_json& object) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : object.items())
    keys.push_back(key);
  return keys;
}

report small_report() {
  dish_record soup;
  soup.name = "soup \xff";  // not UTF-8: replaced, not thrown
  soup.executor = "loop";
  soup.outcome = "done";
  kitchen_record loop;
  loop.which = kind::loop;
  loop.measured.runs = {{.wall_s = 0.5}, {.wall_s = 0.4}};
  loop.median.hash = "00ff";
  loop.median.dishes = {soup};
  report all;
  all.menu = "slow";
  all.seed = ~std::uint64_t{0};
  all.kitchens = {loop};
  all.fits = "loop";
  all.why = {"because"};
  return all;
}

}  // namespace

TEST_CASE("the document has the keys of the schema, in order") {
  const auto document = ordered_json::parse(report_json(small_report()));
  CHECK(keys_of(document) ==
        std::vector<std::string>{"schema", "host", "order", "kitchens", "fits", "why"});
  CHECK(document["schema"] == "brigade.kitchen/1");
  CHECK(keys_of(document["kitchens"][0]) ==
        std::vector<std::string>{"executor", "chefs", "wall_s", "wall_runs_s", "startup_s", "cpu_s",
                                 "ctx_voluntary", "ctx_involuntary", "peak_pss_bytes", "hash",
                                 "dishes"});
  CHECK(keys_of(document["kitchens"][0]["dishes"][0]) ==
        std::vector<std::string>{"name", "executor", "chef", "pid", "tid", "queued_s", "start_s",
                                 "end_s", "cpu_s", "outcome"});
}

TEST_CASE("values keep their size, and null is not measured") {
  const auto document = ordered_json::parse(report_json(small_report()));
  CHECK(document["order"]["seed"].get<std::uint64_t>() == ~std::uint64_t{0});
  CHECK(document["kitchens"][0]["wall_runs_s"] == std::vector<double>{0.5, 0.4});
  CHECK(document["kitchens"][0]["dishes"][0]["cpu_s"].is_null());
  CHECK(document["host"]["quota_cpus"].is_null());
}
