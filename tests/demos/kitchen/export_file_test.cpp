#include "kitchen/export_file.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "expect_problem.hpp"

using namespace kitchen;
using kitchen::testing::problem_of;
namespace fs = std::filesystem;

namespace {

// A directory for one case.
struct folder {
  folder() {
    std::string text = (fs::temp_directory_path() / "brigade-export.XXXXXX").string();
    REQUIRE(::mkdtemp(text.data()) != nullptr);
    path = text;
  }
  folder(const folder&) = delete;
  ~folder() { fs::remove_all(path); }
  [[nodiscard]] std::string file(const char* name) const { return (path / name).string(); }
  [[nodiscard]] std::size_t entries() const {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(path), fs::directory_iterator()));
  }
  fs::path path;
};

std::string text_of(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

constexpr auto both_ways = {export_file::meanwhile::nameless, export_file::meanwhile::not_there};

mode_t mode_of(const std::string& path) {
  return static_cast<mode_t>(fs::status(path).permissions() & fs::perms::mask);
}

std::string refusal(const std::string& path) {
  return problem_of([&] { export_file(path, "--export-json"); });
}

}  // namespace

TEST_CASE("a file appears complete when it is committed, and is nowhere before") {
  for (const auto how : both_ways) {
    const folder place;
    export_file out(place.file("a.json"), "--export-json", how);
    CHECK(place.entries() == 0);
    out.commit("text");
    CHECK(text_of(place.file("a.json")) == "text");
    CHECK(place.entries() == 1);
  }
}

TEST_CASE("a file that is there is replaced, and keeps its mode") {
  for (const auto how : both_ways) {
    for (const mode_t mode : {0600, 0640, 0666, 0755}) {
      const folder place;
      std::ofstream(place.file("a.json")) << "something longer";
      REQUIRE(::chmod(place.file("a.json").c_str(), mode) == 0);
      export_file out(place.file("a.json"), "--export-json", how);
      out.commit("new");
      CHECK(text_of(place.file("a.json")) == "new");
      CHECK(mode_of(place.file("a.json")) == mode);
      CHECK(place.entries() == 1);
    }
  }
}

TEST_CASE("what appears while it is open is replaced too") {
  for (const auto how : both_ways) {
    const folder place;
    export_file out(place.file("a.json"), "--export-json", how);
    std::ofstream(place.file("a.json")) << "another program's";
    out.commit("ours");
    CHECK(text_of(place.file("a.json")) == "ours");
    CHECK(place.entries() == 1);
  }
}

TEST_CASE("a directory that takes its name meanwhile is refused, and nothing is left beside it") {
  for (const auto how : both_ways) {
    const folder place;
    export_file out(place.file("a.json"), "--export-json", how);
    fs::create_directory(place.file("a.json"));
    CHECK(problem_of([&] { out.commit("text"); }, exit_code::environment).find("Is a directory") !=
          std::string::npos);
    CHECK(place.entries() == 1);
  }
}

TEST_CASE("an uncommitted file leaves the old one and nothing else") {
  const folder place;
  std::ofstream(place.file("a.json")) << "old";
  { export_file out(place.file("a.json"), "--export-json"); }
  CHECK(text_of(place.file("a.json")) == "old");
  CHECK(place.entries() == 1);
}

TEST_CASE("a link stays a link") {
  const folder place;
  std::ofstream(place.file("real")) << "old";
  fs::create_symlink("real", place.file("link"));
  export_file out(place.file("link"), "--export-json");
  out.commit("new");
  CHECK(fs::is_symlink(place.file("link")));
  CHECK(text_of(place.file("real")) == "new");
}

TEST_CASE("a link that leads nowhere yet stays a link") {
  const folder place;
  fs::create_directory(place.file("deep"));
  fs::create_symlink("deep/second", place.file("first"));
  fs::create_symlink("real", place.file("deep/second"));
  export_file out(place.file("first"), "--export-json");
  out.commit("new");
  CHECK(fs::is_symlink(place.file("first")));
  CHECK(fs::is_symlink(place.file("deep/second")));
  CHECK(text_of(place.file("deep/real")) == "new");
}

TEST_CASE("a file that has lost its name is written where it is") {
  const folder place;
  const brigade::os::unique_fd fd(
      ::open(place.file("a").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  REQUIRE(::unlink(place.file("a").c_str()) == 0);
  export_file out("/dev/fd/" + std::to_string(fd.get()), "--export-json");
  out.commit("text");
  char text[5] = {};
  CHECK(::pread(fd.get(), text, 4, 0) == 4);
  CHECK(std::string(text) == "text");
  CHECK(place.entries() == 0);
}

TEST_CASE("names of one file are the same target, other files are not") {
  const folder place;
  fs::create_symlink("a", place.file("link"));
  const auto same = [&](const std::string& one, const std::string& other) {
    return export_file(one, "--export-json").same_target({other, "--export-trace"});
  };
  for (const bool exists : {false, true}) {
    if (exists) std::ofstream(place.file("a")) << "old";
    CHECK(same(place.file("a"), place.file("a")));
    CHECK(same(place.file("a"), place.file("./a")));
    CHECK(same(place.file("link"), place.file("a")));
    CHECK_FALSE(same(place.file("a"), place.file("b")));
    CHECK_FALSE(same(place.file("a"), "/dev/full"));
    CHECK_FALSE(same(place.file("a"), "-"));
  }
  CHECK(same("-", "-"));
  CHECK_FALSE(same("/dev/null", "/dev/null"));  // it has room for both
}

TEST_CASE("its permissions are those of any new file") {
  for (const auto how : both_ways) {
    const folder place;
    const mode_t mask = ::umask(022);
    export_file out(place.file("a"), "--export-json", how);
    out.commit("");
    ::umask(mask);
    CHECK(mode_of(place.file("a")) == 0644);
  }
}

TEST_CASE("what is no regular file is written directly") {
  export_file out("/dev/null", "--export-json");
  out.commit("text");
  CHECK(fs::is_character_file("/dev/null"));
}

TEST_CASE("an unwritable place is refused before anything starts") {
  const folder place;
  CHECK(refusal(place.file("no/such/a.json")) ==
        "--export-json: cannot write '" + place.file("no/such/a.json") +
            "': No such file or directory; give a file that can be written");
  CHECK(refusal(place.path.string()).find("Is a directory") != std::string::npos);
  CHECK_FALSE(refusal("").empty());
  CHECK(refusal(place.file(std::string(256, 'a').c_str())).find("File name too long") !=
        std::string::npos);
  fs::create_symlink("circle", place.file("circle"));
  CHECK(refusal(place.file("circle")).find("Too many levels") != std::string::npos);
  if (::geteuid() == 0) return;  // root may write everywhere
  ::chmod(place.path.c_str(), 0500);
  for (const auto how : both_ways) {
    CHECK(problem_of([&] {
            export_file(place.file("a"), "--export-json", how);
          }).find("Permission denied") != std::string::npos);
  }
  ::chmod(place.path.c_str(), 0700);
}

TEST_CASE("a full disk is refused at the end") {
  export_file out("/dev/full", "--export-trace");
  CHECK(problem_of([&] { out.commit("text"); }, exit_code::environment) ==
        "--export-trace: cannot write '/dev/full': No space left on device; give a file that can "
        "be written");
}
