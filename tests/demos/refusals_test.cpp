// Everything that can be wrong with what the user gives: one line, nothing on stdout, exit code 2.
#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "program.hpp"

using namespace brigade::testing;

namespace {

void check_refused(const outcome& done, const std::string& text) {
  INFO("stderr: " << done.err);
  CHECK(done.code == 2);
  CHECK(done.out == "");
  CHECK(std::count(done.err.begin(), done.err.end(), '\n') == 1);
  CHECK(done.err.starts_with("brigade: "));
  CHECK(done.err.ends_with("\n"));
  CHECK(done.err.find(text) != std::string::npos);
}

void check_refused(std::vector<std::string> words, const std::string& text) {
  check_refused(run(std::move(words)), text);
}

void check_menu_refused(const std::string& json, const std::string& text) {
  const scratch place;
  check_refused({"kitchen", "--menu", place.write("menu.json", json)}, text);
}

}  // namespace

TEST_CASE("an unknown command is refused with the nearest") {
  check_refused({"kichen"},
                "command 'kichen' is not one of kitchen, doctor, list, help. Did you "
                "mean 'kitchen'?");
  check_refused({"--verison"}, "Did you mean '--version'?");
  check_refused({"--menu", "slow"},
                "option '--menu' is not one of --help, --version. The options of a command come "
                "after it: brigade COMMAND [OPTIONS]");
  check_refused({"help", "kichen"}, "Did you mean 'kitchen'?");
  check_refused({"kitchen", "--foo"}, "--quiet.\n");  // nothing is near
  check_refused({"doctor", "--fromat", "json"}, "Did you mean '--format'?");
  check_refused({"list", "menus"}, "'menus' is not expected here; see brigade list --help");
}

TEST_CASE("an unknown executor or dish is refused with the nearest") {
  check_refused({"kitchen", "--executor", "thraeds"}, "Did you mean 'threads'?");
  check_refused({"kitchen", "--executor", "loop,"}, "--executor: '' is not one of");
  check_refused({"kitchen", "--dish", "soop:loop"}, "Did you mean 'soup'?");
  check_refused({"kitchen", "--dish", "soup:lop"}, "Did you mean 'loop'?");
  check_refused({"kitchen", "--dish", "soup"}, "write NAME:EXECUTOR, like soup:loop");
}

TEST_CASE("negative and absurd numbers are refused") {
  check_refused({"kitchen", "--chefs", "-1"}, "--chefs: '-1' is negative");
  check_refused({"kitchen", "--chefs", "0"}, "--chefs: '0' is too little");
  check_refused({"kitchen", "--chefs", "1000000"}, "--chefs: '1000000' is too much");
  check_refused({"kitchen", "--runs", "ten"}, "--runs: 'ten' is not a whole number");
  check_refused({"kitchen", "--dishes", "99999999999999999999"}, "is too much");
  check_refused({"kitchen", "--seed", "1.5"}, "--seed: '1.5' is not a whole number");
  check_refused({"kitchen", "--runs"}, "--runs: its value is missing");
}

TEST_CASE("a wrong variable of the environment is refused by its name") {
  check_refused(run({"kitchen"}, {"BRIGADE_RUNS=-2"}), "BRIGADE_RUNS: '-2' is negative");
}

TEST_CASE("a menu that is none is refused with the place") {
  check_menu_refused("soup", "not JSON: parse error at line 1, column 1");
  check_menu_refused("", "not JSON");
  check_menu_refused("[]", "is not a menu");
  check_menu_refused(R"({"dishes": []})", "the menu has no dish");
  check_menu_refused(R"({"dishes": {}})", "is not a list");
  check_menu_refused(R"({"dishes": [{"name": "a", "cpu_ms": "5"}]})",
                     R"(dishes[0].cpu_ms: "5" is not a number)");
  check_menu_refused(R"({"dishes": [{"name": "a", "wait_ms": -1}]})", "is negative");
  check_menu_refused(R"({"dishes": [{"name": "a", "executor": "fork"}]})",
                     "'fork' is not one of loop, threads, processes");
  check_menu_refused(R"({"dishes": [{"name": "a", "files": 1, "files": 2}]})",
                     "dishes[0]: key 'files' is given twice; keep one");
  const std::string deep = std::string(100'000, '[') + std::string(100'000, ']');
  check_menu_refused(deep, "nested more than 32 levels deep");
  check_menu_refused(R"({"dishes": [{"name": )" + deep + "}]}", "dishes[0].name[0]");
}

TEST_CASE("a closed stdout is an error, and nothing is lost without a word") {
  ::setenv("SHELL_PROGRAM", "/bin/sh", 1);
  const scratch place;
  const std::string menu = place.write("menu.json", R"({"dishes": [{"name": "air"}]})");
  const std::string program = std::getenv("BRIGADE_PROGRAM");
  const auto run_closed = [&](const std::string& closing, std::vector<std::string> words) {
    words.insert(words.begin(), {"-c", "exec \"$@\" " + closing, "sh", program});
    return run(words, {}, "SHELL_PROGRAM");
  };
  const std::vector<std::string> kitchen{"kitchen",    "--menu",      menu,      "--runs", "1",
                                         "--executor", "serial,loop", "--chefs", "1"};
  std::vector<std::string> exporting = kitchen;
  exporting.insert(exporting.end(), {"--quiet", "--export-json", "-"});
  for (const std::string closing : {">&-", "<&- >&-"}) {
    CAPTURE(closing);
    for (const auto& words : {std::vector<std::string>{"list"}, kitchen, exporting}) {
      const outcome done = run_closed(closing, words);
      INFO("stderr: " << done.err);
      CHECK(done.code == 3);
      CHECK(done.err.find("cannot write to stdout: Bad file descriptor\n") != std::string::npos);
      CHECK(std::count(done.err.begin(), done.err.end(), '\n') == 1);
    }
  }
}

TEST_CASE("an unreadable menu is refused with the reason") {
  check_refused({"kitchen", "--menu", "/no/such/file.json"}, "No such file or directory");
  check_refused({"kitchen", "--menu", "/tmp"}, "is a directory");
  check_refused({"kitchen", "--menu", "slwo"}, "Did you mean 'slow'?");
  if (::geteuid() == 0) return;  // root may read everything
  const scratch place;
  const std::string file = place.write("menu.json", "{}");
  ::chmod(file.c_str(), 0);
  check_refused({"kitchen", "--menu", file}, "Permission denied");
}

TEST_CASE("an unwritable file is refused before anything is cooked") {
  const scratch place;
  for (const char* option : {"--export-json", "--export-trace"}) {
    const outcome done = run({"kitchen", option, place.file("no/where.json")});
    check_refused(done, std::string(option) + ": cannot write");
    CHECK(done.err.find("round") == std::string::npos);  // no progress was told
    check_refused({"kitchen", option, place.path()}, "Is a directory");
  }
  CHECK(place.entries().empty());
}
