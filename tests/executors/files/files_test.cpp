#include <brigade/files/files.hpp>

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include <brigade/brigade.hpp>
#include <brigade/os/fd.hpp>

namespace bg = brigade;
namespace fs = std::filesystem;
using bg::processes, bg::threads, bg::loop;

namespace {

class scratch {
 public:
  scratch() {
    std::string name = (fs::temp_directory_path() / "brigade-files.XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    root_ = name;
  }
  ~scratch() {
    std::error_code ignored;
    fs::remove_all(root_, ignored);
  }
  [[nodiscard]] fs::path operator/(const std::string& name) const { return root_ / name; }
  [[nodiscard]] const fs::path& path() const noexcept { return root_; }

 private:
  fs::path root_;
};

bg::runtime_options two_workers() {
  bg::runtime_options options;
  options.threads.workers = 2;
  options.processes.workers = 1;
  return options;
}

std::string text_of(const std::exception& e) { return e.what(); }

std::string read_here(const std::string& path) { return bg::read_file(path); }

bg::task<std::string> copy(std::string from, std::string to) {
  std::string content = co_await bg::async_read_file(from);
  co_await bg::async_write_file(to, content);
  co_return co_await bg::async_read_file(to);
}

}  // namespace

TEST_CASE("a file comes back as it was written, whatever its size and bytes") {
  const scratch here;
  for (const std::size_t size : {0UL, 1UL, 4095UL, 4096UL, 4097UL, 1UL << 20}) {
    std::string content(size, '\0');
    for (std::size_t i = 0; i < size; ++i)
      content[i] = static_cast<char>(i * 31);
    bg::write_file(here / "plate", content);
    CHECK(bg::read_file(here / "plate") == content);
  }
  bg::write_file(here / "plate", "short");  // what was longer is gone
  CHECK(bg::read_file(here / "plate") == "short");
}

TEST_CASE("a file whose size reads 0 is read to its end") {
  CHECK(bg::read_file("/proc/self/status").find("Name:") == 0);
  CHECK(bg::read_file("/proc/self/maps").size() > 4096);
}

TEST_CASE("a failure is a system_error with the path and the reason") {
  const scratch here;
  const auto failing = [&](auto call, std::errc reason, const std::string& path) {
    try {
      call();
      FAIL("no failure");
    } catch (const std::system_error& e) {
      CHECK(e.code() == reason);
      CHECK(text_of(e).find(path) != std::string::npos);
    }
  };
  const auto missing = here / "nothing";
  failing([&] { (void)bg::read_file(missing); }, std::errc::no_such_file_or_directory,
          missing.string());
  failing([&] { (void)bg::read_file(here.path()); }, std::errc::is_a_directory,
          here.path().string());
  failing([&] { bg::write_file(missing / "plate", ""); }, std::errc::no_such_file_or_directory,
          (missing / "plate").string());
  failing([&] { bg::write_file("/dev/full", "crumb"); }, std::errc::no_space_on_device,
          "/dev/full");
  failing([&] { (void)bg::list_directory(missing); }, std::errc::no_such_file_or_directory,
          missing.string());
  failing([&] { (void)bg::walk_directory(missing); }, std::errc::no_such_file_or_directory,
          missing.string());
}

TEST_CASE("the functions are tasks for threads, alone and by map; paths may be literals") {
  const scratch here;
  bg::runtime rt(two_workers());
  std::vector<std::string> paths;
  for (int i = 0; i < 100; ++i) {
    paths.push_back((here / std::to_string(i)).string());
    rt.submit(threads, bg::write_file, paths.back(), std::to_string(i * i)).get();
  }
  const std::vector<std::string> contents = rt.map(threads, bg::read_file, paths);
  for (int i = 0; i < 100; ++i) {
    CHECK(contents[static_cast<std::size_t>(i)] == std::to_string(i * i));
  }
  CHECK(rt.submit(threads, bg::read_file, "/proc/self/stat")
            .get()
            .starts_with(std::to_string(::getpid())));
  auto missing = rt.submit(threads, bg::read_file, here / "nothing");
  CHECK_THROWS_AS(missing.get(), std::system_error);
}

TEST_CASE("a task on any executor awaits them, and gets their failures") {
  const scratch here;
  bg::write_file(here / "from", "two eggs");
  bg::runtime rt(two_workers());
  for (const bg::executor_kind where : bg::all_executors) {
    const auto to = (here / (std::string("to-") + std::string(to_string(where)))).string();
    CHECK(rt.submit(where, copy, (here / "from").string(), to).get() == "two eggs");
    CHECK_THROWS_AS(rt.submit(where, copy, (here / "nothing").string(), to).get(),
                    std::system_error);
    CHECK(rt.submit(where, read_here, to).get() == "two eggs");
  }
  const auto outside = [] { (void)bg::async_read_file("/proc/self/stat"); };
  CHECK_THROWS_AS(outside(), std::logic_error);
}

TEST_CASE("a walk finds everything below, in order, and follows no link") {
  const scratch here;
  fs::create_directories(here / "b" / "deep" / "deeper");
  fs::create_directories(here / "a");
  fs::create_directory_symlink(here.path(), here / "again");
  bg::write_file(here / "b/deep/deeper/leaf", "");
  bg::write_file(here / "a/leaf", "");
  const std::vector<std::string> all{
      "a", "a/leaf", "again", "b", "b/deep", "b/deep/deeper", "b/deep/deeper/leaf"};
  std::vector<std::string> found;
  const bg::directory_tree tree = bg::walk_directory(here.path());
  for (const auto& each : tree.entries) {
    found.push_back(each.path.substr(here.path().string().size() + 1));
  }
  CHECK(found == all);
  CHECK(tree.failures.empty());
  CHECK(tree.entries[2].type == bg::file_type::symlink);
  CHECK(tree.entries[3].type == bg::file_type::directory);
  CHECK(tree.entries[1].type == bg::file_type::regular);

  bg::runtime rt(two_workers());
  const auto awaited = [](std::string root) -> bg::task<bg::directory_tree> {
    co_return co_await bg::async_walk_directory(root);
  };
  const bg::directory_tree side_by_side = rt.submit(loop, awaited, here.path().string()).get();
  REQUIRE(side_by_side.entries.size() == tree.entries.size());
  for (std::size_t i = 0; i < tree.entries.size(); ++i) {
    CHECK(side_by_side.entries[i].path == tree.entries[i].path);
    CHECK(side_by_side.entries[i].type == tree.entries[i].type);
  }
}

TEST_CASE("a directory that cannot be listed is reported and the walk goes on") {
  const scratch here;
  // Deeper than a path may be long: made step by step, it cannot be opened by its path.
  const std::string step(200, 'x');
  bg::os::unique_fd at = bg::os::open_file(here.path().string(), O_DIRECTORY);
  for (int i = 0; i < 25; ++i) {
    REQUIRE(::mkdirat(at.get(), step.c_str(), 0777) == 0);
    at = bg::os::unique_fd(::openat(at.get(), step.c_str(), O_DIRECTORY | O_CLOEXEC));
  }
  bg::write_file(here / "z", "");
  bg::runtime rt(two_workers());
  const auto check = [&](const bg::directory_tree& tree) {
    REQUIRE(tree.failures.size() == 1);
    CHECK(tree.failures[0].reason == std::errc::filename_too_long);
    CHECK(tree.failures[0].path.size() > 4000);
    CHECK(tree.entries.back().path == (here / "z").string());
  };
  check(bg::walk_directory(here.path()));
  check(rt.submit(threads, [&] { return bg::async_walk_directory(here.path()); }).get().get());
}
