#include "kitchen/pantry.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <system_error>

using namespace kitchen;
namespace fs = std::filesystem;

namespace {

menu files_menu() { return {"m", {{.name = "a", .file_kib = 8, .files = 3}}}; }

struct stocked {
  explicit stocked(std::uint64_t seed) : path(make_pantry_directory()) {
    stock_pantry(path, files_menu(), seed);
  }
  stocked(const stocked&) = delete;
  ~stocked() { fs::remove_all(path); }
  std::string path;
};

}  // namespace

TEST_CASE("the same seed stocks the same files") {
  const stocked one(1);
  const stocked again(1);
  const stocked other(2);
  CHECK(work_with_file(one.path, 8192, 0, 0) == work_with_file(again.path, 8192, 0, 5));
  CHECK(work_with_file(one.path, 8192, 0, 0) != work_with_file(other.path, 8192, 0, 0));
  CHECK(work_with_file(one.path, 8192, 0, 0) != work_with_file(one.path, 8192, 1, 0));
}

TEST_CASE("the work reaches the files: a changed ingredient changes the result") {
  const stocked place(1);
  const auto before = work_with_file(place.path, 8192, 2, 0);
  std::fstream(place.path + "/ingredient-2", std::ios::in | std::ios::out) << "!";
  CHECK(work_with_file(place.path, 8192, 2, 0) != before);
}

TEST_CASE("the plate holds what was read until it is cleared") {
  const stocked place(1);
  static_cast<void>(work_with_file(place.path, 4096, 1, 7));
  CHECK(fs::file_size(place.path + "/plate-7") == 4096);
  clear_plate(place.path, 7);
  CHECK_FALSE(fs::exists(place.path + "/plate-7"));
  clear_plate(place.path, 7);  // nothing there is fine
}

TEST_CASE("a missing or short ingredient is an error") {
  const stocked place(1);
  CHECK_THROWS_AS(static_cast<void>(work_with_file(place.path, 8193, 0, 0)), std::system_error);
  fs::remove(place.path + "/ingredient-0");
  CHECK_THROWS_AS(static_cast<void>(work_with_file(place.path, 1, 0, 0)), std::system_error);
}
