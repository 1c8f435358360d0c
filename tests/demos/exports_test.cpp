// `--export-json` and `--export-trace` of the real program: what is refused before anything is
// cooked, and that nothing that was measured is lost when one cannot be written.
#include <doctest/doctest.h>
#include <signal.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "program.hpp"
#include "support/eventually.hpp"

using namespace brigade::testing;
using nlohmann::json;
namespace fs = std::filesystem;

namespace {

struct table {
  [[nodiscard]] std::vector<std::string> words(std::vector<std::string> more) const {
    const std::vector<std::string> first{"kitchen",    "--menu", menu,     "--quiet",
                                         "--executor", "serial", "--runs", "1"};
    more.insert(more.begin(), first.begin(), first.end());
    return more;
  }
  [[nodiscard]] outcome cook(std::vector<std::string> more) const {
    return run(words(std::move(more)));
  }
  // The program as "$@" of a shell's script.
  [[nodiscard]] outcome cook_in_shell(const std::string& script,
                                      std::vector<std::string> more) const {
    ::setenv("SHELL_PROGRAM", "/bin/sh", 1);
    more = words(std::move(more));
    more.insert(more.begin(), {"-c", script, "sh", std::getenv("BRIGADE_PROGRAM")});
    return run(std::move(more), {}, "SHELL_PROGRAM");
  }
  [[nodiscard]] std::string file(const std::string& name) const { return place.file(name); }

  scratch place;
  std::string menu = place.write("menu.json", R"({"dishes": [{"name": "a", "wait_ms": 1}]})");
};

std::size_t lines_of(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

void check_refused(const outcome& done, const std::string& text) {
  INFO("stderr: " << done.err);
  CHECK(done.code == 2);
  CHECK(done.out == "");
  CHECK(done.err == "brigade: " + text + "\n");
}

}  // namespace

TEST_CASE("exports are files of their own") {
  const table table;
  const std::string result = table.file("result.json");
  const std::string trace = table.file("trace.json");
  const outcome done = table.cook({"--export-json", result, "--export-trace", trace});
  REQUIRE(done.code == 0);
  CHECK(done.out.starts_with("Menu "));
  CHECK(json::parse(text_of(result))["kitchens"].size() == 1);
  CHECK(json::parse(text_of(trace))["traceEvents"].size() > 2);
  CHECK(table.place.entries().size() == 3);  // the menu and the two, nothing temporary
}

TEST_CASE("two exports to one file are refused, by whatever names") {
  const table table;
  const std::string file = table.file("x.json");
  const auto check_both = [&](const std::string& other) {
    check_refused(table.cook({"--export-json", file, "--export-trace", other}),
                  "--export-trace: '" + other +
                      "' is where --export-json writes already; give each a file of its own");
  };
  fs::create_symlink("x.json", table.file("link"));
  check_both(file);
  check_both(table.file("./x.json"));
  check_both(table.file("link"));
  CHECK_FALSE(fs::exists(file));
  CHECK(table.place.write("x.json", "old") == file);
  fs::create_hard_link(file, table.file("hard"));
  for (const char* name : {"./x.json", "hard"})
    check_both(table.file(name));
  CHECK(text_of(file) == "old");
  CHECK(table.cook({"--export-json", "/dev/null", "--export-trace", "/dev/null"}).code == 0);
}

TEST_CASE("two documents on stdout are refused") {
  const table table;
  for (const std::string other : {"-", "/dev/stdout"}) {
    check_refused(table.cook({"--export-json", "-", "--export-trace", other}),
                  "--export-trace: stdout is where --export-json writes already; give each a file "
                  "of its own");
    for (const std::string option : {"--export-json", "--export-trace"}) {
      check_refused(table.cook({"--format", "json", option, other}),
                    option +
                        ": stdout gets the JSON of --format json already; give a file, or leave "
                        "one of them out");
    }
  }
}

TEST_CASE("an export to stdout comes after the text, also to a file that the shell opened") {
  const table table;
  const std::string both = table.file("both");
  for (const std::string& path : {std::string("-"), std::string("/dev/stdout"), both}) {
    CAPTURE(path);
    const outcome done =
        table.cook_in_shell("exec \"$@\" > '" + both + "'", {"--export-json", path});
    CHECK(done.code == 0);
    const std::string text = text_of(both);
    CHECK(text.starts_with("Menu "));
    const auto start = text.find("\n{\n");
    REQUIRE(start != std::string::npos);
    CHECK(json::parse(text.substr(start))["schema"] == "brigade.kitchen/1");
  }
}

TEST_CASE("an export that cannot be written costs neither the report nor the other export") {
  const table table;
  for (const std::string failing : {"--export-json", "--export-trace"}) {
    const std::string other = failing == "--export-json" ? "--export-trace" : "--export-json";
    const std::string result = table.file(other);
    const outcome done = table.cook({failing, "/dev/full", other, result});
    CHECK(done.code == 3);
    CHECK(done.out.starts_with("Menu "));
    CHECK(done.err == "brigade: " + failing +
                          ": cannot write '/dev/full': No space left on device; give a file that "
                          "can be written\n");
    CHECK(json::accept(text_of(result)));
  }
}

TEST_CASE("a report that cannot be written costs no export") {
  const table table;
  const std::string result = table.file("result.json");
  const outcome done = table.cook_in_shell("exec \"$@\" > /dev/full", {"--export-json", result});
  CHECK(done.code == 3);
  CHECK(done.err == "brigade: cannot write to stdout: No space left on device\n");
  CHECK(json::accept(text_of(result)));
}

TEST_CASE("a folder that is removed meanwhile costs only what was to be in it") {
  const table table;
  const std::string folder = table.file("folder");
  fs::create_directory(folder);
  program running({"kitchen", "--menu", table.menu, "--executor", "serial", "--runs", "1000",
                   "--export-json", folder + "/x.json", "--export-trace", table.file("t.json")});
  const auto is_in_round = [&](const char* round) {
    return eventually([&] { return running.errors_so_far().find(round) != std::string::npos; });
  };
  REQUIRE(is_in_round("round 2 of 1000\n"));
  CHECK(fs::remove(folder));  // it is empty
  running.signal(SIGINT);
  const outcome done = running.wait();
  CHECK(done.code == 3);
  CHECK(done.out.starts_with("Menu "));
  const std::string complaint = "brigade: --export-json: cannot write '" + folder +
                                "/x.json': No such file or directory; give a file that can be "
                                "written\n";
  CHECK(done.err.ends_with("\n" + complaint));
  CHECK(json::accept(text_of(table.file("t.json"))));
}

#if !defined(__SANITIZE_THREAD__)  // which writes a file before main() begins
TEST_CASE("a limit on the size of files is one clear line, not a death by signal") {
  const table table;
  const std::string limited =
      "{ (ulimit -f 0; \"$@\" 2>&1 >&3; echo code $?) | cat; } 3> /dev/null";
  const outcome exporting = table.cook_in_shell(limited, {"--export-json", table.file("x.json")});
  CHECK(exporting.out == "brigade: --export-json: cannot write '" + table.file("x.json") +
                             "': File too large; give a file that can be written\ncode 3\n");
  CHECK(table.place.entries().size() == 1);  // the menu

  const std::string files =
      table.place.write("files.json", R"({"dishes": [{"name": "a", "files": 1}]})");
  const outcome stocking = table.cook_in_shell(limited, {"--menu", files});
  CHECK(lines_of(stocking.out) == 2);
  CHECK(stocking.out.starts_with("brigade: cannot stock the pantry: "));
  CHECK(stocking.out.ends_with("File too large\ncode 3\n"));
}
#endif

TEST_CASE("an existing file keeps its mode") {
  const table table;
  const std::string file = table.place.write("x.json", "old");
  REQUIRE(::chmod(file.c_str(), 0600) == 0);
  CHECK(table.cook({"--export-json", file}).code == 0);
  CHECK(json::accept(text_of(file)));
  CHECK((fs::status(file).permissions() & fs::perms::mask) == fs::perms(0600));
}
