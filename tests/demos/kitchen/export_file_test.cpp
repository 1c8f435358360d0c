#include "kitchen/export_file.hpp"

#include <doctest/doctest.h>
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

std::string refusal(const std::string& path) {
  return problem_of([&] { export_file(path, "--export-json"); });
}

}  // namespace

TEST_CASE("a file appears complete when it is committed") {
  const folder place;
  export_file out(place.file("a.json"), "--export-json");
  CHECK_FALSE(fs::exists(place.file("a.json")));
  out.commit("text");
  CHECK(text_of(place.file("a.json")) == "text");
  CHECK(place.entries() == 1);
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

TEST_CASE("its permissions are those of any new file") {
  const folder place;
  const mode_t mask = ::umask(022);
  export_file out(place.file("a"), "--export-json");
  out.commit("");
  ::umask(mask);
  CHECK((fs::status(place.file("a")).permissions() & fs::perms::mask) == fs::perms(0644));
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
}

TEST_CASE("a full disk is refused at the end") {
  export_file out("/dev/full", "--export-trace");
  CHECK(problem_of([&] { out.commit("text"); }) ==
        "--export-trace: cannot write '/dev/full': No space left on device; give a file that can "
        "be written");
}
