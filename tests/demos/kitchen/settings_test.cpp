#include "kitchen/settings.hpp"

#include <doctest/doctest.h>

#include <cstdlib>

#include "expect_problem.hpp"

using namespace kitchen;
using kitchen::testing::problem_of;

namespace {

settings read(std::vector<std::string> words) {
  const auto chosen = read_settings(std::move(words));
  REQUIRE(chosen.has_value());
  return *chosen;
}
std::string refusal(std::vector<std::string> words) {
  return problem_of([&] { static_cast<void>(read_settings(std::move(words))); });
}

// A variable of the environment for one case.
class variable {
 public:
  variable(const char* name, const char* value) : name_(name) { ::setenv(name, value, 1); }
  variable(const variable&) = delete;
  ~variable() { ::unsetenv(name_); }

 private:
  const char* name_;
};

}  // namespace

TEST_CASE("without options the mixed menu is cooked in all kitchens") {
  const settings chosen = read({});
  CHECK(chosen.dishes.name == "mixed");
  CHECK(chosen.kitchens ==
        std::vector{kind::serial, kind::loop, kind::threads, kind::processes, kind::mixed});
  CHECK(chosen.chefs == 10);
  CHECK(chosen.runs == 5);
  CHECK(chosen.seed == 42);
  CHECK(chosen.format == output_format::text);
  CHECK_FALSE(chosen.quiet);
  CHECK_FALSE(chosen.export_json.has_value());
}

TEST_CASE("a menu without choices is not cooked in the mixed kitchen by itself") {
  CHECK(read({"--menu", "slow"}).kitchens.size() == 4);
  CHECK(read({"--menu", "slow", "--dish", "tea:loop"}).kitchens.size() == 5);
}

TEST_CASE("options are read") {
  const settings chosen =
      read({"--menu=cpu", "--executor", "threads,serial", "--dishes", "25", "--chefs", "3",
            "--runs=2", "--seed", "7", "--format", "json", "--export-json", "a", "--export-trace",
            "-", "--quiet", "--color", "never"});
  CHECK(chosen.dishes.name == "cpu");
  CHECK(chosen.dishes.dishes.size() == 25);
  CHECK(chosen.kitchens == std::vector{kind::threads, kind::serial});
  CHECK(chosen.chefs == 3);
  CHECK(chosen.runs == 2);
  CHECK(chosen.seed == 7);
  CHECK(chosen.format == output_format::json);
  CHECK(chosen.export_json == "a");
  CHECK(chosen.export_trace == "-");
  CHECK(chosen.quiet);
  CHECK(chosen.colour == colour_choice::never);
}

TEST_CASE("the last of a repeated option counts, of lists every one") {
  CHECK(read({"--runs", "2", "--runs", "3"}).runs == 3);
  CHECK(read({"--executor", "loop", "--executor", "threads,serial"}).kitchens ==
        std::vector{kind::loop, kind::threads, kind::serial});
  const settings chosen = read({"--dish", "soup:threads", "--dish", "bread:processes"});
  CHECK(chosen.dishes.dishes[0].executor == brigade::executor_kind::threads);
  CHECK(chosen.dishes.dishes[1].executor == brigade::executor_kind::processes);
}

TEST_CASE("the environment gives options, the command line wins") {
  const variable runs("BRIGADE_RUNS", "9");
  const variable quiet("BRIGADE_QUIET", "1");
  const variable json("BRIGADE_EXPORT_JSON", "file");
  CHECK(read({}).runs == 9);
  CHECK(read({}).quiet);
  CHECK(read({}).export_json == "file");
  CHECK(read({"--runs", "3"}).runs == 3);
}

TEST_CASE("a wrong value of the environment is refused by its name there") {
  const variable chefs("BRIGADE_CHEFS", "many");
  CHECK(refusal({}) ==
        "BRIGADE_CHEFS: 'many' is not a whole number; give a whole number from 1 to 1024");
}

TEST_CASE("negative and absurd numbers are refused") {
  CHECK(refusal({"--chefs", "-3"}) ==
        "--chefs: '-3' is negative; give a whole number from 1 to 1024");
  CHECK(refusal({"--runs", "0"}) ==
        "--runs: '0' is too little; give a whole number from 1 to 1000");
  CHECK(refusal({"--dishes", "1000000"}) ==
        "--dishes: '1000000' is too much; give a whole number from 1 to 100000");
  CHECK(refusal({"--dishes", "1e3"}) ==
        "--dishes: '1e3' is not a whole number; give a whole number from 1 to 100000");
  CHECK(refusal({"--seed", "99999999999999999999"}).find("is too much") != std::string::npos);
  CHECK(refusal({"--chefs", " 3"}).find("is not a whole number") != std::string::npos);
  CHECK(refusal({"--chefs", "3\n4"}) ==
        R"(--chefs: '3\x0a4' is not a whole number; give a whole number from 1 to 1024)");
}

TEST_CASE("unknown names are refused with the nearest") {
  CHECK(refusal({"--executor", "serial,thraeds"}) ==
        "--executor: 'thraeds' is not one of serial, loop, threads, processes, mixed. Did you mean "
        "'threads'?");
  CHECK(refusal({"--executor", ""}).find("is not one of") != std::string::npos);
  for (const auto& twice : {std::vector<std::string>{"--executor", "loop,loop"},
                            {"--executor", "loop", "--executor", "threads", "--executor=loop"}}) {
    CHECK(refusal(twice) == "--executor: 'loop' is there twice; name it once");
  }
  CHECK(refusal({"--format", "txt"}) ==
        "--format: 'txt' is not one of text, json. Did you mean 'text'?");
  CHECK(refusal({"--exprot-json", "x"}).find("Did you mean '--export-json'?") != std::string::npos);
  CHECK(refusal({"--runs"}) == "--runs: its value is missing; write --runs VALUE");
  CHECK(refusal({"soup"}) == "'soup' is not expected here; see brigade kitchen --help");
}

TEST_CASE("a choice for a mixed kitchen that is not opened is refused") {
  CHECK(refusal({"--dish", "soup:loop", "--executor", "loop"}) ==
        "--dish: 'soup:loop' chooses for the mixed kitchen, which is not opened; add mixed to "
        "--executor");
}
