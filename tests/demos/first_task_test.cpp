// The example that opens the README: its own function and coroutine on every executor.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>

#include "program.hpp"

using namespace brigade::testing;

namespace {

outcome first_task(std::vector<std::string> words) {
  return run(std::move(words), {}, "FIRST_TASK_PROGRAM");
}

}  // namespace

TEST_CASE("a function and a coroutine run on the executors that were named, task by task") {
  CHECK(first_task({}).out == "25 primes; Ada is coming\n");
  for (const char* function_on : {"loop", "threads", "processes"}) {
    for (const char* coroutine_on : {"loop", "threads", "processes"}) {
      INFO(function_on << " and " << coroutine_on);
      const outcome done = first_task({"--executor", function_on, "--executor", coroutine_on});
      CHECK(done.code == 0);
      CHECK(done.out == "25 primes; Ada is coming\n");
      CHECK(done.err == "");
    }
  }
}

TEST_CASE("a wrong name is answered with the nearest one") {
  const outcome done = first_task({"--executor", "thraeds"});
  CHECK(done.code == 2);
  CHECK(done.out == "");
  CHECK(done.err.find("Did you mean 'threads'?") != std::string::npos);
}

TEST_CASE("what it does not know it refuses") {
  const std::vector<std::vector<std::string>> wrong{
      {"--help"}, {"--executor"}, {"--compare", "--executor"}, {"loop"}, {"--fast", "loop"}};
  for (const auto& words : wrong) {
    INFO(words.front());
    const outcome done = first_task(words);
    CHECK(done.code == 2);
    CHECK(done.out == "");
    CHECK(done.err.find("[--executor NAME [--executor NAME]] | --compare") != std::string::npos);
  }
}

TEST_CASE("comparing prints the table of all three and which fits") {
  const outcome done = first_task({"--compare"});
  REQUIRE(done.code == 0);
  for (const char* part :
       {"executor", "wall", "CPU", "\nloop ", "\nthreads ", "\nprocesses ", "Fits: ", "Why:  "}) {
    INFO(part);
    CHECK(done.out.find(part) != std::string::npos);
  }
}

TEST_CASE("the example is short enough to open the README") {
  const std::string text = text_of(std::getenv("FIRST_TASK_SOURCE"));
  CHECK(std::count(text.begin(), text.end(), '\n') <= 40);
  CHECK(text.find("rt.submit(") != std::string::npos);
}
