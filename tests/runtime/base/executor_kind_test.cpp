#include <brigade/base/executor_kind.hpp>

#include <stdexcept>
#include <string>
#include <type_traits>

#include <doctest/doctest.h>

using brigade::executor_kind;

TEST_CASE("names and kinds belong to each other") {
  CHECK(brigade::to_string(executor_kind::loop) == "loop");
  CHECK(brigade::to_string(executor_kind::threads) == "threads");
  CHECK(brigade::to_string(executor_kind::processes) == "processes");
  for (const executor_kind kind : brigade::all_executors) {
    CHECK(brigade::parse_executor(brigade::to_string(kind)) == kind);
    CHECK(brigade::all_executors[brigade::index_of(kind)] == kind);
  }
}

TEST_CASE("a tag is its kind, also for the compiler") {
  static_assert(executor_kind(brigade::loop) == executor_kind::loop);
  static_assert(decltype(brigade::threads)::kind == executor_kind::threads);
  static_assert(!std::is_same_v<decltype(brigade::loop), decltype(brigade::processes)>);
  const executor_kind kind = brigade::processes;
  CHECK(kind == executor_kind::processes);
}

TEST_CASE("an unknown name is refused with the allowed ones and what was meant") {
  CHECK_THROWS_WITH_AS((void)brigade::parse_executor("thraeds"),
                       "executor 'thraeds' is not one of loop, threads, processes. "
                       "Did you mean 'threads'?",
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS((void)brigade::parse_executor("automatic"),
                       "executor 'automatic' is not one of loop, threads, processes.",
                       std::invalid_argument);
  CHECK_THROWS_AS((void)brigade::parse_executor(""), std::invalid_argument);
  CHECK_THROWS_AS((void)brigade::parse_executor("Loop"), std::invalid_argument);
}
