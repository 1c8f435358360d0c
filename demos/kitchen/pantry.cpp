#include "kitchen/pantry.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <span>
#include <system_error>
#include <vector>

#include <brigade/os/fd.hpp>

#include "kitchen/fingerprint.hpp"
#include "kitchen/interrupts.hpp"
#include "kitchen/problem.hpp"

namespace kitchen {
namespace {

constexpr unsigned most_ingredients = 64;  // dishes with more files read some again

std::string ingredient_path(const std::string& directory, unsigned file) {
  return directory + "/ingredient-" + std::to_string(file % most_ingredients);
}

std::string plate_path(const std::string& directory, unsigned dish) {
  return directory + "/plate-" + std::to_string(dish);
}

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

void read_exactly(int fd, std::span<std::byte> bytes) {
  if (brigade::os::read_full(fd, bytes) == bytes.size()) return;
  throw std::system_error(EIO, std::generic_category(), "a file is shorter than it was written");
}

}  // namespace

std::string make_pantry_directory() {
  std::error_code failure;
  const auto place = std::filesystem::temp_directory_path(failure);
  std::string path = (failure ? std::filesystem::path("/tmp") : place) / "brigade-kitchen.XXXXXX";
  if (::mkdtemp(path.data()) == nullptr) {
    throw cannot_run("cannot make the directory " + path + ": " + system_text(errno) +
                     "; set TMPDIR to a place that can be written");
  }
  return path;
}

void stock_pantry(const std::string& directory, const menu& all, std::uint64_t seed) {
  std::array<std::size_t, most_ingredients> sizes_kib{};
  for (const dish& each : all.dishes) {
    for (unsigned file = 0; file < std::min(each.files, most_ingredients); ++file) {
      sizes_kib[file] = std::max<std::size_t>(sizes_kib[file], each.file_kib);
    }
  }
  std::vector<std::byte> bytes;
  try {
    for (unsigned file = 0; file < most_ingredients; ++file) {
      if (interrupted() != 0) return;
      bytes.resize(sizes_kib[file] * 1024);
      fill_bytes(bytes, combined(seed, file));
      const std::string path = ingredient_path(directory, file);
      const auto fd = brigade::os::open_file(path, O_WRONLY | O_CREAT | O_EXCL);
      constexpr std::size_t portion = 1 << 20;  // what a slow disk takes before somebody waits long
      for (std::size_t at = 0; at < bytes.size(); at += portion) {
        if (interrupted() != 0) return;
        const std::size_t size = std::min(portion, bytes.size() - at);
        brigade::os::write_full(fd.get(), std::span(bytes).subspan(at, size));
      }
    }
  } catch (const std::system_error& failed) {
    throw cannot_run("cannot stock the pantry: " + one_line(failed.what()));
  }
}

std::uint64_t work_with_file(const std::string& directory, std::size_t bytes, unsigned file,
                             unsigned dish) {
  using namespace brigade::os;
  std::vector<std::byte> contents(bytes);
  const unique_fd ingredient = open_file(ingredient_path(directory, file), O_RDONLY);
  read_exactly(ingredient.get(), contents);

  const unique_fd plate = open_file(plate_path(directory, dish), O_RDWR | O_CREAT);
  write_full(plate.get(), contents);
  if (::fdatasync(plate.get()) != 0) fail("fdatasync of a plate");
  std::fill(contents.begin(), contents.end(), std::byte{0});
  if (::lseek(plate.get(), 0, SEEK_SET) != 0) fail("lseek of a plate");
  read_exactly(plate.get(), contents);
  return fingerprint(contents, file);
}

void clear_plate(const std::string& directory, unsigned dish) noexcept {
  ::unlink(plate_path(directory, dish).c_str());
}

}  // namespace kitchen
