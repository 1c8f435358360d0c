#include "kitchen/recipe.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <span>
#include <vector>

#include <brigade/os/fd.hpp>

#include "kitchen/pantry.hpp"

using namespace kitchen;
namespace fs = std::filesystem;

namespace {

struct pantry_directory {
  pantry_directory() : path(make_pantry_directory()) {}
  pantry_directory(const pantry_directory&) = delete;
  ~pantry_directory() { fs::remove_all(path); }
  std::string path;
};

int turn() { return 1; }

}  // namespace

TEST_CASE("a dish that is cancelled leaves its helper all that it needs to end") {
  const pantry_directory place;
  // A pipe as the ingredient: the helper is in the midst of its work until we have written.
  const std::string ingredient = place.path + "/ingredient-0";
  REQUIRE(::mkfifo(ingredient.c_str(), 0600) == 0);
  const std::vector<std::byte> bytes(4096, std::byte{7});
  {
    brigade::runtime rt;
    order asked;
    asked.index = 3;
    asked.files = 1;
    asked.file_bytes = static_cast<std::uint32_t>(bytes.size());
    asked.pantry = place.path;
    auto cooking = rt.submit(brigade::loop, cook_as_coroutine, asked);
    const auto pipe = brigade::os::open_file(ingredient, O_WRONLY);  // returns when both are there
    CHECK(cooking.cancel());
    CHECK_THROWS_AS(static_cast<void>(cooking.get()), brigade::task_cancelled);
    CHECK(rt.submit(brigade::loop, turn).get() == 1);  // now the coroutine's frame is gone
    const std::vector<std::string> others(1000, std::string(asked.pantry.size(), 'x'));
    brigade::os::write_full(pipe.get(), bytes);
  }  // returns when the helper has ended
  REQUIRE(fs::exists(place.path + "/plate-3"));
  CHECK(fs::file_size(place.path + "/plate-3") == bytes.size());
}

TEST_CASE("both forms of the recipe serve the same") {
  const pantry_directory place;
  stock_pantry(place.path, {"m", {{.name = "a", .file_kib = 4, .files = 2}}}, 1);
  order asked;
  asked.wait_us = 1000;
  asked.files = 2;
  asked.file_bytes = 4096;
  asked.stirs = 1000;
  asked.seed = 5;
  asked.pantry = place.path;
  brigade::runtime rt;
  const serving as_coroutine = rt.submit(brigade::loop, cook_as_coroutine, asked).get();
  const serving plain = rt.submit(brigade::threads, cook, asked).get();
  CHECK(as_coroutine.hash == plain.hash);
  CHECK(as_coroutine.steps.size() == plain.steps.size());
  CHECK_FALSE(fs::exists(place.path + "/plate-0"));
}
