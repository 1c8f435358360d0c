#include "kitchen/export_file.hpp"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <span>
#include <system_error>
#include <utility>

#include "kitchen/problem.hpp"

namespace kitchen {

export_file::export_file(std::string path, std::string place)
    : path_(std::move(path)), place_(std::move(place)) {
  if (path_ == "-") {
    fd_ = brigade::os::duplicate(STDOUT_FILENO, 3);
    return;
  }
  if (path_.empty()) refuse(ENOENT);
  std::error_code failure;
  const auto status = std::filesystem::status(path_, failure);
  if (std::filesystem::is_directory(status)) refuse(EISDIR);
  const bool exists = std::filesystem::exists(status);
  if (exists && !std::filesystem::is_regular_file(status)) {
    fd_.reset(::open(path_.c_str(), O_WRONLY | O_CLOEXEC));
    if (!fd_) refuse(errno);
    return;
  }
  if (exists) {
    if (::access(path_.c_str(), W_OK) != 0) refuse(errno);
    path_ = std::filesystem::canonical(path_, failure).string();  // a link stays a link
  }
  temporary_ = path_ + ".XXXXXX";
  fd_.reset(::mkostemp(temporary_.data(), O_CLOEXEC));
  if (!fd_) {
    const int error_number = errno;
    temporary_.clear();
    refuse(error_number);
  }
  const mode_t mask = ::umask(0);
  ::umask(mask);
  ::fchmod(fd_.get(), 0666 & ~mask);
}

export_file::~export_file() {
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void export_file::commit(std::string_view text) {
  try {
    brigade::os::write_full(fd_.get(), std::as_bytes(std::span(text)));
  } catch (const std::system_error& failed) {
    refuse(failed.code().value());
  }
  if (temporary_.empty()) return;
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) refuse(errno);
  temporary_.clear();
}

void export_file::refuse(int error_number) const {
  if (path_ == "-") {
    throw cannot_run(place_ + ": cannot write to stdout: " + system_text(error_number));
  }
  throw bad_input(place_ + ": cannot write " + in_quotes(path_) + ": " + system_text(error_number) +
                  "; give a file that can be written");
}

}  // namespace kitchen
