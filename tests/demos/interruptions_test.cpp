// What ends `brigade kitchen` early, from outside: what is still written, and what is left behind.
#include <doctest/doctest.h>
#include <signal.h>

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "program.hpp"
#include "support/eventually.hpp"

using namespace brigade::testing;
using nlohmann::json;

namespace {

// Long enough that no signal comes after it.
std::vector<std::string> thousand_rounds(const std::string& menu, std::vector<std::string> more) {
  more.insert(more.begin(), {"kitchen", "--menu", menu, "--runs", "1000"});
  return more;
}

std::string short_wait(const scratch& place) {
  return place.write("menu.json", R"({"dishes": [{"name": "a", "wait_ms": 100}]})");
}

bool is_in_round(const program& running, int round) {
  const std::string line = "round " + std::to_string(round) + " of 1000\n";
  return eventually([&] { return running.errors_so_far().find(line) != std::string::npos; });
}

}  // namespace

TEST_CASE("Ctrl-C, a request to end or a closed terminal end the evening, finished rounds stay") {
  for (const int each : {SIGINT, SIGTERM, SIGHUP}) {
    CAPTURE(each);
    const scratch place;
    const std::string result = place.file("result.json");
    program running(
        thousand_rounds(short_wait(place), {"--executor", "loop", "--export-json", result}));
    REQUIRE(is_in_round(running, 2));
    running.signal(each);
    const outcome done = running.wait();
    CHECK(done.code == 128 + each);
    CHECK(done.out.starts_with("Menu "));
    const json all = json::parse(text_of(result));
    REQUIRE(all["kitchens"].size() == 1);
    CHECK(all["kitchens"][0]["wall_runs_s"].size() >= 1);
    CHECK(all["kitchens"][0]["wall_runs_s"].size() < 1000);
  }
}

TEST_CASE("under nohup a closed terminal does not matter") {
  ::setenv("SHELL_PROGRAM", "/bin/sh", 1);
  const scratch place;
  std::vector<std::string> words{"-c", "trap '' HUP; exec \"$@\"", "sh",
                                 std::getenv("BRIGADE_PROGRAM")};
  for (const std::string& word : thousand_rounds(short_wait(place), {"--executor", "serial"}))
    words.push_back(word);
  program running(words, {}, "SHELL_PROGRAM");
  REQUIRE(is_in_round(running, 1));
  running.signal(SIGHUP);
  REQUIRE(is_in_round(running, 4));
  running.signal(SIGINT);
  CHECK(running.wait().code == 130);
}

TEST_CASE("nothing is left behind, even when it is killed") {
  const scratch place;
  const std::string menu = place.write("menu.json", R"({"dishes": [
      {"name": "salad", "files": 5, "file_kib": 8, "replies": 1, "wait_ms": 5}]})");
  program running(thousand_rounds(menu, {"--chefs", "2", "--export-json", place.file("x.json"),
                                         "--export-trace", place.file("y.json")}));
  REQUIRE(is_in_round(running, 2));
  CHECK_FALSE(running.temporary_files().empty());
  ids before;
  running.look(before);
  running.signal(SIGKILL);
  static_cast<void>(running.wait());
  CHECK(eventually([&] { return running.temporary_files().empty(); }));
  CHECK(eventually([&] {
    return std::all_of(before.begin(), before.end(),
                       [](const auto& id) { return ::kill(id.first, 0) != 0; });
  }));
  CHECK(place.entries().size() == 1);  // the menu
}
