#include "kitchen/report.hpp"

#include <doctest/doctest.h>

#include <brigade/measure/verdict.hpp>

using namespace kitchen;
using brigade::measure::measurement;

namespace {

run_record run_with(const std::string& hash, const std::string& outcome = "done") {
  dish_record dish;
  dish.name = "soup";
  dish.outcome = outcome;
  run_record run;
  run.hash = hash;
  run.dishes = {dish};
  return run;
}

struct made_up {
  settings chosen;
  std::vector<measurement> measured;
  std::vector<kitchen_log> logs;

  void add(kind which, std::vector<double> walls, std::vector<run_record> runs) {
    chosen.kitchens.push_back(which);
    measurement figures{std::string(to_string(which)), 1, {}};
    for (const double wall : walls)
      figures.runs.push_back({.wall_s = wall});
    measured.push_back(figures);
    logs.push_back({std::move(runs), {}});
  }
  [[nodiscard]] report made() const { return make_report(chosen, measured, logs); }
};

}  // namespace

TEST_CASE("the dishes are those of the run with the median wall time") {
  made_up evening;
  evening.add(kind::serial, {3, 1, 2}, {run_with("a"), run_with("a"), run_with("a")});
  evening.logs[0].runs[2].dishes[0].pid = 77;
  const report made = evening.made();
  REQUIRE(made.kitchens.size() == 1);
  CHECK(made.kitchens[0].median.wall_s == 2);
  CHECK(made.kitchens[0].median.dishes[0].pid == 77);
  CHECK(made.failure == "");
}

TEST_CASE("a clearly faster kitchen fits") {
  made_up evening;
  const std::vector<run_record> runs(5, run_with("a"));
  evening.add(kind::serial, {2, 2.1, 2, 2.1, 2}, runs);
  evening.add(kind::loop, {1, 1.1, 1, 1.1, 1}, runs);
  CHECK(evening.made().fits == "loop");
  evening.add(kind::threads, {1.1, 1, 1.1, 1, 1.05}, runs);
  CHECK(evening.made().fits == brigade::measure::too_close_to_call);
}

TEST_CASE("a different result in any run is a failure, whoever was faster") {
  made_up evening;
  evening.add(kind::loop, {1, 1}, {run_with("a"), run_with("b")});
  evening.add(kind::serial, {2, 2}, {run_with("a"), run_with("a")});
  const report made = evening.made();
  CHECK(made.fits == "none");
  CHECK(made.failure ==
        "loop, run 2: its results (hash b) differ from those of serial (hash a); a reply, a file "
        "or a computation was altered on the way");
  CHECK(made.why == std::vector{made.failure});
}

TEST_CASE("without serial the first kitchen is what the others must agree with") {
  made_up evening;
  evening.add(kind::threads, {1}, {run_with("a")});
  evening.add(kind::loop, {1}, {run_with("b")});
  CHECK(evening.made().failure.find("loop, run 1: its results (hash b) differ from those of "
                                    "threads (hash a)") == 0);
}

TEST_CASE("a dish that failed is named with its reason") {
  made_up evening;
  evening.add(kind::threads, {1}, {run_with("a", "supplier: connect: refused")});
  CHECK(evening.made().failure == "threads, run 1: dish 'soup' failed: supplier: connect: refused");
}

TEST_CASE("what an interruption cut off does not count") {
  made_up evening;
  evening.add(kind::serial, {1}, {run_with("a"), run_with("cut")});
  evening.add(kind::loop, {}, {});
  const report made = evening.made();
  CHECK(made.kitchens.size() == 1);
  CHECK(made.failure == "");
  CHECK(made_up().made().kitchens.empty());
}
