// Who really cooks, seen from outside: threads and processes as /proc shows them while the program
// runs, and time as another clock has it.
#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <thread>

#include "program.hpp"

using namespace brigade::testing;
using nlohmann::json;

namespace {

struct evening {
  json kitchen;  // of the one executor that was asked for
  ids seen;      // every thread of the program and its descendants
  pid_t host = 0;
  ids cooks;  // who cooked, as the program says
};

// Ten dishes that all wait long enough for every chef to have got one.
evening cook_in(const std::string& executor, std::vector<std::string> more = {}) {
  const scratch place;
  const std::string menu = place.write("menu.json", R"({"dishes": [
      {"name": "stock", "wait_ms": 1500, "replies": 1}, {"name": "bread", "wait_ms": 1500}]})");
  std::vector<std::string> words{"kitchen", "--menu", menu, "--dishes", "10",       "--executor",
                                 executor,  "--runs", "1",  "--quiet",  "--format", "json"};
  words.insert(words.end(), more.begin(), more.end());
  evening made;
  const outcome done = run_and_look(words, made.seen, made.host);
  INFO("stderr: " << done.err);
  REQUIRE(done.code == 0);
  made.kitchen = json::parse(done.out)["kitchens"][0];
  for (const json& dish : made.kitchen["dishes"]) {
    CHECK(dish["outcome"] == "done");
    made.cooks.emplace(dish["pid"].get<pid_t>(), dish["tid"].get<pid_t>());
  }
  for (const auto& cook : made.cooks)
    CHECK(made.seen.contains(cook));
  return made;
}

std::set<pid_t> processes_of(const ids& all) {
  std::set<pid_t> processes;
  for (const auto& [process, thread] : all)
    processes.insert(process);
  return processes;
}

std::set<unsigned> chefs_of(const evening& made) {
  std::set<unsigned> chefs;
  for (const json& dish : made.kitchen["dishes"])
    chefs.insert(dish["chef"].get<unsigned>());
  return chefs;
}

// One program for each executor, all at once, cooking one dish that waits.
std::vector<outcome> wait_in(const std::vector<std::string>& executors, int seconds) {
  const scratch place;
  const std::string menu = place.write("menu.json", R"({"dishes": [{"name": "slow", "wait_ms": )" +
                                                        std::to_string(1000 * seconds) + "}]}");
  std::vector<std::unique_ptr<program>> running;
  for (const std::string& executor : executors) {
    running.push_back(std::make_unique<program>(
        std::vector<std::string>{"kitchen", "--menu", menu, "--executor", executor, "--chefs", "2",
                                 "--runs", "1", "--quiet", "--format", "json"}));
  }
  const auto still_running = [&] {  // asks every one, so that each end is seen when it happens
    return std::count_if(running.begin(), running.end(), [](auto& one) { return !one->ended(); });
  };
  while (still_running() > 0) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));  // the resolution of the clock
  }
  std::vector<outcome> all;
  for (auto& one : running)
    all.push_back(one->wait());
  return all;
}

}  // namespace

TEST_CASE("one thread cooks in serial: the main thread") {
  const evening made = cook_in("serial");
  CHECK(made.cooks == ids{{made.host, made.host}});
}

TEST_CASE("one thread of the program cooks in loop") {
  const evening made = cook_in("loop");
  CHECK(made.cooks.size() == 1);
  CHECK(processes_of(made.cooks) == std::set{made.host});
  CHECK(chefs_of(made).size() == 1);
}

TEST_CASE("ten threads of the program cook in threads") {
  const evening made = cook_in("threads");
  CHECK(made.cooks.size() == 10);
  CHECK(processes_of(made.cooks) == std::set{made.host});
  CHECK(chefs_of(made).size() == 10);
}

TEST_CASE("ten processes other than the program cook in processes") {
  const evening made = cook_in("processes");
  const std::set<pid_t> processes = processes_of(made.cooks);
  CHECK(processes.size() == 10);
  CHECK_FALSE(processes.contains(made.host));
  CHECK(chefs_of(made).size() == 10);
}

TEST_CASE("as many chefs cook as were asked for") {
  CHECK(cook_in("threads", {"--chefs", "3"}).cooks.size() == 3);
  CHECK(cook_in("processes", {"--chefs", "3"}).cooks.size() == 3);
  CHECK(cook_in("loop", {"--chefs", "3"}).cooks.size() == 1);
}

TEST_CASE("in the mixed kitchen every dish is cooked where it chose") {
  const scratch place;
  const std::string menu = place.write("menu.json", R"({"dishes": [
      {"name": "a", "wait_ms": 50, "executor": "loop"}, {"name": "b", "wait_ms": 50},
      {"name": "c", "wait_ms": 50, "executor": "processes"}]})");
  evening made;
  const outcome done = run_and_look({"kitchen", "--menu", menu, "--dish", "b:threads", "--executor",
                                     "mixed", "--runs", "1", "--quiet", "--format", "json"},
                                    made.seen, made.host);
  INFO("stderr: " << done.err);
  REQUIRE(done.code == 0);
  const json dishes = json::parse(done.out)["kitchens"][0]["dishes"];
  CHECK(dishes[0]["executor"] == "loop");
  CHECK(dishes[1]["executor"] == "threads");
  CHECK(dishes[2]["executor"] == "processes");
  CHECK(dishes[0]["pid"] == made.host);
  CHECK(dishes[1]["pid"] == made.host);
  CHECK(dishes[0]["tid"] != dishes[1]["tid"]);
  CHECK(dishes[2]["pid"] != made.host);
  std::set<unsigned> chefs;
  for (const json& dish : dishes)
    chefs.insert(dish["chef"].get<unsigned>());
  CHECK(chefs.size() == 3);
}

TEST_CASE("the wall time is that of another clock, within 5 %") {
  const std::vector<std::string> executors{"serial", "loop", "threads", "processes"};
  // A busy machine starts and ends a program late, which makes the outside time longer and never
  // shorter: the closest try counts. Each is longer, so that starting and ending weigh less; a
  // clock that runs wrong is as wrong in the longest.
  std::vector<double> closest(executors.size(), 0);
  double wanted = 0.95;
  const auto all_close = [&] {
    return std::all_of(closest.begin(), closest.end(), [&](double one) { return one >= wanted; });
  };
  for (int seconds = 5; seconds <= 40 && !all_close(); seconds *= 2) {
    const std::vector<outcome> ended = wait_in(executors, seconds);
    for (std::size_t i = 0; i < executors.size(); ++i) {
      INFO(executors[i] << ", stderr: " << ended[i].err);
      REQUIRE(ended[i].code == 0);
      const json all = json::parse(ended[i].out);
      // A sanitizer takes half a second to start and end a program.
      if (!all["host"]["sanitizer"].is_null()) wanted = 0.75;
      const json& kitchen = all["kitchens"][0];
      const double told = kitchen["wall_s"].get<double>() + kitchen["startup_s"].get<double>();
      CHECK(kitchen["wall_s"].get<double>() >= seconds);
      CHECK(told <= ended[i].seconds);
      closest[i] = std::max(closest[i], told / ended[i].seconds);
    }
  }
  for (std::size_t i = 0; i < executors.size(); ++i) {
    INFO(executors[i]);
    CHECK(closest[i] >= wanted);
  }
}
