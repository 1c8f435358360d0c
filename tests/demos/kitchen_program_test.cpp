// `brigade kitchen` as a whole, from outside: outputs and exit codes.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "program.hpp"

using namespace brigade::testing;
using nlohmann::json;

namespace {

// A bit of everything, in a tenth of a second.
constexpr const char* small_menu = R"({"dishes": [
  {"name": "soup", "wait_ms": 20, "replies": 2, "cpu_ms": 2, "executor": "loop"},
  {"name": "salad", "files": 5, "file_kib": 8, "executor": "threads"},
  {"name": "bread", "wait_ms": 30, "files": 2, "cpu_ms": 1, "executor": "processes"},
  {"name": "roast", "cpu_ms": 10, "replies": 1}]})";

struct table {
  explicit table(const char* text = small_menu) : menu(place.write("menu.json", text)) {}
  [[nodiscard]] outcome cook(std::vector<std::string> more,
                             std::vector<std::string> variables = {}) const {
    std::vector<std::string> words{"kitchen", "--menu", menu, "--chefs", "3"};
    words.insert(words.end(), more.begin(), more.end());
    return run(std::move(words), std::move(variables));
  }
  scratch place;
  std::string menu;
};

}  // namespace

TEST_CASE("all kitchens serve the same, and the JSON says what each did") {
  const table table;
  const outcome done = table.cook({"--format", "json", "--quiet", "--runs", "3"});
  INFO("stderr: " << done.err);
  REQUIRE(done.code == 0);
  CHECK(done.err == "");
  const json all = json::parse(done.out);
  CHECK(all["schema"] == "brigade.kitchen/1");
  CHECK(all["host"]["cpus"] >= 1);
  CHECK_FALSE(all["fits"].get<std::string>().empty());
  CHECK(all["why"].size() >= 2);
  CHECK(all["why"].size() <= 3);
  std::vector<std::string> names;
  for (const json& kitchen : all["kitchens"]) {
    names.push_back(kitchen["executor"]);
    CHECK(kitchen["hash"] == all["kitchens"][0]["hash"]);
    CHECK(kitchen["wall_runs_s"].size() == 3);
    CHECK(kitchen["wall_s"] > 0.03);
    CHECK(kitchen["cpu_s"] > 0.01);
    CHECK(kitchen["peak_pss_bytes"] > 1'000'000);
    CHECK(kitchen["dishes"].size() == 4);
    for (const json& dish : kitchen["dishes"]) {
      CHECK(dish["outcome"] == "done");
      CHECK(dish["queued_s"] >= 0);
      CHECK(dish["start_s"] >= dish["queued_s"]);
      CHECK(dish["end_s"] >= dish["start_s"]);
      CHECK(dish["end_s"].get<double>() < 1000);  // seconds, and from the start of the run
      CHECK(dish["cpu_s"] >= 0);
    }
  }
  CHECK(names == std::vector<std::string>{"serial", "loop", "threads", "processes", "mixed"});
}

TEST_CASE("waits overlap on the loop and on threads, not one after another") {
  const outcome done = run({"kitchen", "--menu", "slow", "--executor", "serial,loop,threads",
                            "--runs", "3", "--quiet", "--format", "json"});
  REQUIRE(done.code == 0);
  const json kitchens = json::parse(done.out)["kitchens"];
  // The fastest run: a busy machine makes a run longer and never shorter.
  const auto fastest = [&](std::size_t kitchen) {
    const std::vector<double> walls = kitchens[kitchen]["wall_runs_s"];
    return *std::min_element(walls.begin(), walls.end());
  };
  const double serial = fastest(0);
  CHECK(serial >= 1.73);  // the sum of all waits; the longest is 0.3 s
  CHECK(fastest(1) >= 0.3);
  CHECK(fastest(1) < serial / 2);
  CHECK(fastest(2) < serial / 2);
}

TEST_CASE("the text has a line per dish, a table and a verdict, and progress goes to stderr") {
  const table table;
  const outcome done = table.cook({"--runs", "2"});
  REQUIRE(done.code == 0);
  for (const char* part : {"Menu ", "soup", "salad", "chef 0", "hands busy", "executor", "wall",
                           "start-up", "\nserial ", "\nloop ", "\nthreads ", "\nprocesses ",
                           "\nmixed ", "Fits: ", "Why:  ", "handed to"}) {
    INFO(part);
    CHECK(done.out.find(part) != std::string::npos);
  }
  CHECK(done.out.find('\x1b') == std::string::npos);
  CHECK(done.err == "round 1 of 2\nround 2 of 2\n");
}

TEST_CASE("colour is as asked for, then as the environment says") {
  const table table(R"({"dishes": [{"name": "a", "wait_ms": 1}]})");
  const auto coloured = [&](std::vector<std::string> more, std::vector<std::string> variables) {
    more.insert(more.end(), {"--executor", "serial", "--runs", "1"});
    return table.cook(std::move(more), std::move(variables)).out.find('\x1b') != std::string::npos;
  };
  CHECK_FALSE(coloured({}, {}));
  CHECK(coloured({}, {"FORCE_COLOR=1"}));
  CHECK_FALSE(coloured({}, {"FORCE_COLOR=1", "NO_COLOR=1"}));
  CHECK(coloured({"--color", "always"}, {"NO_COLOR=1"}));
  CHECK_FALSE(coloured({"--color", "never"}, {"FORCE_COLOR=1"}));
}

TEST_CASE("an altered reply is noticed: exit code 1, and which kitchen it was") {
  const table table;
  const outcome done = table.cook({"--quiet", "--runs", "1", "--executor", "serial,loop,threads",
                                   "--tamper-reply", "4", "--format", "json"});
  CHECK(done.code == 1);
  CHECK(std::count(done.err.begin(), done.err.end(), '\n') == 1);
  CHECK(done.err.find("its results (hash ") != std::string::npos);
  CHECK(done.err.find("differ from those of serial") != std::string::npos);
  CHECK(json::parse(done.out)["fits"] == "none");
}

TEST_CASE("dishes are repeated to the number that was asked for") {
  const table table;
  const outcome done = table.cook({"--quiet", "--runs", "1", "--executor", "loop,threads",
                                   "--dishes", "50", "--format", "json"});
  REQUIRE(done.code == 0);
  const json all = json::parse(done.out);
  CHECK(all["kitchens"][0]["dishes"].size() == 50);
  CHECK(all["kitchens"][0]["hash"] == all["kitchens"][1]["hash"]);
  CHECK(all["kitchens"][0]["dishes"][49]["name"] == "salad");
}

TEST_CASE("a stdout that takes nothing is the environment's fault") {
  ::setenv("SHELL_PROGRAM", "/bin/sh", 1);
  const std::string program = std::getenv("BRIGADE_PROGRAM");
  const outcome full =
      run({"-c", "exec \"$1\" list > /dev/full", "sh", program}, {}, "SHELL_PROGRAM");
  CHECK(full.code == 3);
  CHECK(full.err == "brigade: cannot write to stdout: No space left on device\n");
}

TEST_CASE("more connections than this machine allows are the environment's fault, with a cure") {
  ::setenv("SHELL_PROGRAM", "/bin/sh", 1);
  const std::string program = std::getenv("BRIGADE_PROGRAM");
  const auto limited = [&](const std::string& executor) {
    return run(
        {"-c", "ulimit -n 300; exec \"$@\"", "sh", program, "kitchen", "--menu", "slow", "--dishes",
         "400", "--chefs", "2", "--runs", "1", "--quiet", "--executor", executor},
        {}, "SHELL_PROGRAM");
  };
  const outcome done = limited("loop");
  CHECK(done.code == 3);
  CHECK(done.out == "");
  CHECK(done.err ==
        "brigade: 360 open files are needed at once, the limit is 300; give fewer --dishes or "
        "raise 'ulimit -n'\n");
}

TEST_CASE("bare, help, version, doctor and list") {
  const outcome bare = run({});
  CHECK(bare.code == 0);
  CHECK(bare.out.find("Usage: brigade COMMAND") != std::string::npos);
  CHECK(std::count(bare.out.begin(), bare.out.end(), '\n') < 20);
  CHECK(run({"--help"}).out == bare.out);
  CHECK(run({"--version"}).out.starts_with("brigade 0."));
  CHECK(run({"kitchen", "--help"}).out.find("--export-trace") != std::string::npos);
  CHECK(run({"kitchen", "--help"}).out.find("tamper") == std::string::npos);
  const outcome doctor = run({"doctor"});
  CHECK(doctor.code == 0);
  for (const char* part : {"CPUs", "affinity", "quota", "limit: open files", "start method",
                           "forkserver", "spawn", "hardware counters", "load"}) {
    INFO(part);
    CHECK(doctor.out.find(part) != std::string::npos);
  }
  CHECK(json::parse(run({"doctor", "--format", "json"}).out)["schema"] == "brigade.doctor/1");
  const outcome list = run({"list"});
  CHECK(list.code == 0);
  for (const char* part : {"slow", "fast", "cpu", "mixed", "serial", "loop", "threads", "processes",
                           "doctor", "soup: 2 replies of 100 ms"}) {
    INFO(part);
    CHECK(list.out.find(part) != std::string::npos);
  }
}
