#include "kitchen/arguments.hpp"

#include <doctest/doctest.h>

#include "expect_problem.hpp"

using namespace kitchen;
using kitchen::testing::problem_of;

TEST_CASE("an option's variable is its name in capitals") {
  CHECK(environment_name("--export-json") == "BRIGADE_EXPORT_JSON");
  CHECK(environment_name("--runs") == "BRIGADE_RUNS");
}

TEST_CASE("a list is split at every separator") {
  CHECK(split("a,b", ',') == std::vector<std::string>{"a", "b"});
  CHECK(split("", ',') == std::vector<std::string>{""});
  CHECK(split("a,", ',') == std::vector<std::string>{"a", ""});
}

TEST_CASE("whole numbers are read up to the last that fits") {
  CHECK(whole_number({"18446744073709551615", "--n"}, 0, ~std::uint64_t{0}) == ~std::uint64_t{0});
  CHECK(whole_number({"007", "--n"}, 0, 10) == 7);
  for (const char* wrong : {"", "-", "+1", "1.0", "0x1", "1 ", "18446744073709551616"}) {
    CHECK_FALSE(problem_of([&] {
                  static_cast<void>(whole_number({wrong, "--n"}, 0, ~std::uint64_t{0}));
                }).empty());
  }
}

TEST_CASE("a hidden option works and is not offered") {
  arguments given("brigade test", "A test.");
  given.add_value("--shown", "N", "Shown");
  given.add_value("--secret", "N", "Not shown");
  given.hide("--secret");
  REQUIRE(given.parse({"--secret", "1"}));
  CHECK(given.value("--secret")->text == "1");
  arguments again("brigade test", "A test.");
  again.add_value("--shown", "N", "Shown");
  again.add_value("--secret", "N", "Not shown");
  again.hide("--secret");
  CHECK(problem_of([&] {
          static_cast<void>(again.parse({"--secrets", "1"}));
        }) == "option '--secrets' is not one of --help, --shown.");
}
