#include <brigade/measure/verdict.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace brigade;
using measure::measurement;

namespace {

constexpr std::uint64_t mebibyte = 1024 * 1024;

measurement make(const std::string& name, unsigned workers, const std::vector<double>& walls,
                 double cpu_s = 0.1, std::uint64_t memory = 4 * mebibyte, double startup_s = 0) {
  measurement one{name, workers, {}};
  for (const double wall : walls)
    one.runs.push_back({wall, startup_s, cpu_s, 10, 2, memory});
  return one;
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != text.npos;
}

}  // namespace

TEST_CASE("the one that is faster in every round fits, and the figures say why") {
  const std::vector<measurement> all{make("serial", 1, {2.0, 2.01, 2.02, 2.0, 2.03}, 0.04),
                                     make("loop", 1, {0.2, 0.201, 0.2, 0.202, 0.2}, 0.05),
                                     make("threads", 10, {0.4, 0.41, 0.42, 0.4, 0.4}, 0.06)};
  const auto verdict = measure::judge(all);
  CHECK(verdict.fits == "loop");
  CHECK(verdict.sensible == "loop");
  REQUIRE(verdict.why.size() == 3);
  CHECK(verdict.why[0] ==
        "loop was faster than threads, the next, in 5 of 5 rounds: 0.200 s against 0.400 s, 2.0x "
        "as fast (94 % interval: 1.98x to 2.1x).");
  CHECK(verdict.why[1] ==
        "One after another the tasks used a CPU for 2 % of their time and waited for 98 %: waits "
        "can overlap, and loop had 10.0 tasks under way on average with 1 worker.");
  CHECK(verdict.why[2] ==
        "loop took 50.0 ms of CPU, 4.0 MiB at its peak and 12 context switches; threads took "
        "60.0 ms of CPU, 4.0 MiB at its peak and 12 context switches.");
  CHECK(measure::to_text(verdict).starts_with("Fits: loop\nWhy:  loop was faster"));
}

TEST_CASE("work for the CPU is recognised by what the serial run used") {
  const std::vector<measurement> all{make("serial", 1, {2, 2, 2, 2, 2}, 1.99),
                                     make("threads", 2, {1, 1, 1, 1, 1.01}, 1.97),
                                     make("loop", 1, {2, 2.1, 2, 2, 2}, 2.0)};
  const auto verdict = measure::judge(all);
  CHECK(verdict.fits == "threads");
  CHECK(contains(verdict.why[1], "threads kept 1.97 busy with 2 workers"));
}

TEST_CASE("the tasks' own figures count more than those of the whole serial run") {
  const std::vector<measurement> all{make("serial", 1, {2, 2, 2, 2, 2}, 1.99),
                                     make("loop", 1, {1, 1, 1, 1, 1})};
  const auto verdict = measure::judge(all, measure::serial_profile{0.5, 1.5});
  CHECK(contains(verdict.why[1], "used a CPU for 25 % of their time and waited for 75 %"));
}

TEST_CASE("rounds that disagree are too close to call, and the cheaper one is sensible") {
  const std::vector<measurement> all{make("threads", 10, {0.200, 0.203, 0.199, 0.202, 0.200}, 0.09),
                                     make("loop", 1, {0.201, 0.200, 0.202, 0.200, 0.203}, 0.05),
                                     make("processes", 10, {0.9, 0.9, 0.9, 0.9, 0.9}, 0.01)};
  const auto verdict = measure::judge(all);
  CHECK(verdict.fits == "too close to call");
  CHECK(verdict.sensible == "loop");  // and not processes, which are slower beyond doubt
  CHECK(contains(verdict.why[0], "threads and loop cannot be told apart"));
  CHECK(contains(verdict.why[0], "of 5 rounds"));
  CHECK(contains(verdict.why.back(), "loop is the cheaper of them and the sensible choice"));
  CHECK(measure::to_text(verdict).starts_with("Fits: too close to call; sensible: loop\n"));
}

TEST_CASE("with CPU time alike, memory decides what is cheaper") {
  const std::vector<measurement> all{
      make("threads", 10, {0.20, 0.21, 0.20, 0.21, 0.20}, 0.100, 8 * mebibyte),
      make("loop", 1, {0.21, 0.20, 0.21, 0.20, 0.21}, 0.102, 4 * mebibyte)};
  CHECK(measure::judge(all).sensible == "loop");
}

TEST_CASE("an advantage too small to matter is too close to call, however steady it is") {
  const std::vector<measurement> all{make("threads", 2, std::vector<double>(20, 1.00)),
                                     make("loop", 1, std::vector<double>(20, 1.01))};
  CHECK(measure::judge(all).fits == measure::too_close_to_call);
  CHECK(measure::judge(all, {}, {.smallest_effect = 0.005}).fits == "threads");
}

TEST_CASE("one round decides only what is far apart") {
  const std::vector<measurement> near{make("threads", 2, {1.0}), make("loop", 1, {1.2})};
  const auto undecided = measure::judge(near);
  CHECK(undecided.fits == measure::too_close_to_call);
  CHECK(contains(undecided.why[0], "threads faster in 1 of 1 round; 5 rounds or more could tell"));
  const std::vector<measurement> far{make("threads", 2, {1.0}), make("loop", 1, {2.0})};
  CHECK(measure::judge(far).fits == "threads");
}

TEST_CASE("when start-up would turn the order, that is said") {
  const std::vector<measurement> all{
      make("processes", 2, {1, 1, 1, 1, 1}, 1.9, mebibyte, 0.8),
      make("threads", 2, {1.2, 1.2, 1.2, 1.2, 1.2}, 1.9, mebibyte, 0.01)};
  const auto verdict = measure::judge(all);
  CHECK(verdict.fits == "processes");
  CHECK(verdict.why.back() ==
        "With start-up counted threads would be ahead: 1.21 s against 1.80 s, of which 0.800 s is "
        "start-up.");
}

TEST_CASE("nothing and a single contestant are no comparison") {
  CHECK(measure::judge({}).fits.empty());
  CHECK(measure::judge(std::vector{measurement{"loop", 1, {}}}).fits.empty());
  const auto verdict = measure::judge(std::vector{make("loop", 1, {1, 1})});
  CHECK(verdict.fits == "loop");
  CHECK(contains(verdict.why[0], "nothing to compare it with"));
}

TEST_CASE("the table shows medians and the speed-up against serial") {
  const std::vector<measurement> all{make("serial", 1, {2.0, 9.0, 2.0}),
                                     make("threads", 2, {1.0, 1.0, 0.5}, 1.9, 8 * mebibyte, 0.001)};
  CHECK(measure::format_table(all) ==
        "executor  workers    wall  speed-up      CPU  ctx vol  ctx invol  peak mem  start-up\n"
        "serial          1  2.00 s     1.00x  0.100 s       10          2   4.0 MiB      0 µs\n"
        "threads         2  1.00 s      2.0x   1.90 s       10          2   8.0 MiB   1.00 ms\n");
}

TEST_CASE("the median run is one that was run") {
  CHECK(make("x", 1, {5, 1, 3}).median_run() == 2);
  CHECK(make("x", 1, {4, 1, 2, 3}).median_run() == 2);
  CHECK(make("x", 1, {}).median_run() == 0);
}

TEST_CASE(
    "what is slower by estimate is not sensible, however cheap, even if one round denies it") {
  const std::vector<measurement> all{
      make("processes", 2, {1, 1, 1, 1, 2}, 2.0, 9 * mebibyte),
      make("loop", 1, {1.9, 1.9, 1.9, 1.9, 1.9}, 1.9, 4 * mebibyte),
      make("threads", 2, {1.01, 0.99, 1.01, 1.01, 1.01}, 2.0, 9 * mebibyte)};
  const auto verdict = measure::judge(all);
  CHECK(verdict.fits == measure::too_close_to_call);
  CHECK(verdict.sensible == "processes");
  CHECK(contains(verdict.why.back(), "is the sensible choice, since the other is no cheaper"));
}

TEST_CASE(
    "of two that cannot be told apart a cheaper one that took much longer is said to be that") {
  const std::vector<measurement> all{
      make("processes", 2, {1, 1, 1, 1, 2}, 2.0, 9 * mebibyte),
      make("threads", 2, {1.5, 1.5, 1.5, 1.5, 1.5}, 2.0, 3 * mebibyte)};
  const auto verdict = measure::judge(all);
  CHECK(verdict.fits == measure::too_close_to_call);
  CHECK(verdict.sensible == "processes");
  CHECK(contains(verdict.why.back(), "the other is cheaper, but took about"));
}
