#include "kitchen/export_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <span>
#include <system_error>
#include <utility>

#include "kitchen/interrupts.hpp"
#include "kitchen/problem.hpp"

namespace kitchen {
namespace {

using brigade::os::file_identity;
using brigade::os::unique_fd;

file_identity identity_of(const struct stat& about) {
  return {about.st_dev, about.st_ino};
}

bool is_null_device(const struct stat& about) {
  return S_ISCHR(about.st_mode) && about.st_rdev == makedev(1, 3);
}

bool is_stdout(const struct stat& about) {
  struct stat out {};
  return ::fstat(STDOUT_FILENO, &out) == 0 && identity_of(out) == identity_of(about);
}

// Tries names that nobody has until make(name) is true: that name, or "" with errno.
template <class Make>
std::string under_new_name(const std::string& folder, Make make) {
  const std::string start = folder + "/.brigade-export-" + std::to_string(::getpid()) + "-";
  for (int number = 0; number < 1000; ++number) {
    const std::string name = start + std::to_string(number);
    if (make(name)) return name;
    if (errno != EEXIST) break;
  }
  return {};
}

unique_fd create(const std::string& name) {
  return unique_fd(::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
}

// Who may not read the file that is replaced may not read the new one either.
void keep_mode(int fd, const std::string& target) {
  struct stat before {};
  if (::stat(target.c_str(), &before) != 0) return;
  mode_t mode = before.st_mode & 07777;
  constexpr uid_t same_owner = ~uid_t{0};
  if (::fchown(fd, same_owner, before.st_gid) != 0) mode &= ~mode_t{S_IRWXG};  // another group's
  static_cast<void>(!::fchown(fd, before.st_uid, ~gid_t{0}));                  // only root may
  ::fchmod(fd, mode);
}

// 0, or errno.
int write(int fd, std::string_view text) {
  try {
    brigade::os::write_full(fd, std::as_bytes(std::span(text)));
  } catch (const std::system_error& failed) {
    return failed.code().value();
  }
  return 0;
}

// The file gets the target's name, or loses its own.
bool rename_or_remove(const std::string& name, const std::string& target) {
  if (::rename(name.c_str(), target.c_str()) == 0) return true;
  const int error_number = errno;
  ::unlink(name.c_str());
  errno = error_number;
  return false;
}

}  // namespace

export_file::export_file(std::string path, std::string place, meanwhile how)
    : path_(std::move(path)), place_(std::move(place)) {
  if (path_ == "-") {
    write_to_stdout();
    return;
  }
  if (path_.empty()) refuse(ENOENT);
  struct stat about {};
  const bool exists = ::stat(path_.c_str(), &about) == 0;
  if (!exists && errno != ENOENT) refuse(errno);
  if (exists && S_ISDIR(about.st_mode)) refuse(EISDIR);
  if (exists && !is_null_device(about)) {  // which takes everything from everybody
    if (is_stdout(about)) {
      write_to_stdout();
      return;
    }
    identity_ = identity_of(about);
  }
  if (!exists || S_ISREG(about.st_mode)) find_target();
  if (target_.empty()) {
    fd_.reset(::open(path_.c_str(), O_WRONLY | O_CLOEXEC));
    if (!fd_) refuse(errno);
    return;
  }
  if (exists && ::access(target_.c_str(), W_OK) != 0) refuse(errno);
  prepare(how);
}

void export_file::write_to_stdout() {
  path_ = "-";
  fd_ = brigade::os::duplicate(STDOUT_FILENO, 3);
}

// A link stays a link, also one that leads nowhere yet.
void export_file::find_target() {
  namespace fs = std::filesystem;
  std::error_code failure;
  fs::path end = path_;
  for (int links = 0; links < 40; ++links) {
    const fs::path next = fs::read_symlink(end, failure);
    if (failure) break;
    end = end.parent_path() / next;
  }
  const fs::path folder = end.has_parent_path() ? end.parent_path() : fs::path(".");
  folder_ = fs::canonical(folder, failure).string();
  if (failure) refuse(failure.value());
  target_ = (fs::path(folder_) / end.filename()).string();
  struct stat about {};
  const bool same = ::stat(target_.c_str(), &about) == 0 && identity_ == identity_of(about);
  if (identity_ && !same) target_.clear();  // a file that has lost its name: /dev/fd/5
}

void export_file::prepare(meanwhile how) {
  if (how == meanwhile::nameless) {
    fd_.reset(::open(folder_.c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666));
    if (fd_) return;
  }
  const signals_held_back until_removed;
  const std::string name = under_new_name(
      folder_, [](const std::string& each) { return static_cast<bool>(create(each)); });
  if (name.empty()) refuse(errno);
  ::unlink(name.c_str());
}

void export_file::commit(std::string_view text) {
  if (!fd_) return write_beside(text);
  if (!target_.empty()) {
    keep_mode(fd_.get(), target_);
  } else if (!on_stdout()) {
    static_cast<void>(!::ftruncate(fd_.get(), 0));  // to a pipe or a device it means nothing
  }
  if (const int failure = write(fd_.get(), text); failure != 0) fail(failure);
  if (target_.empty() || take_name()) return;
  write_beside(text);  // no /proc here, or it fails again and says why
}

bool export_file::take_name() const {
  const std::string nameless = "/proc/self/fd/" + std::to_string(fd_.get());
  const auto link_as = [&](const std::string& name) {
    return ::linkat(AT_FDCWD, nameless.c_str(), AT_FDCWD, name.c_str(), AT_SYMLINK_FOLLOW) == 0;
  };
  if (link_as(target_)) return true;
  if (errno != EEXIST) return false;
  const signals_held_back until_renamed;
  const std::string name = under_new_name(folder_, link_as);
  return !name.empty() && rename_or_remove(name, target_);
}

void export_file::write_beside(std::string_view text) const {
  const signals_held_back until_renamed;
  unique_fd fd;
  const std::string name = under_new_name(folder_, [&](const std::string& each) {
    fd = create(each);
    return static_cast<bool>(fd);
  });
  if (name.empty()) fail(errno);
  keep_mode(fd.get(), target_);
  if (const int failure = write(fd.get(), text); failure != 0) {
    ::unlink(name.c_str());
    fail(failure);
  }
  if (!rename_or_remove(name, target_)) fail(errno);
}

bool export_file::same_target(const export_file& other) const noexcept {
  if (on_stdout() && other.on_stdout()) return true;
  return (identity_ && identity_ == other.identity_) ||
         (!target_.empty() && target_ == other.target_);
}

std::string export_file::text_of(int error_number) const {
  if (on_stdout()) return place_ + ": cannot write to stdout: " + system_text(error_number);
  return place_ + ": cannot write " + in_quotes(path_) + ": " + system_text(error_number) +
         "; give a file that can be written";
}

void export_file::refuse(int error_number) const { throw bad_input(text_of(error_number)); }
void export_file::fail(int error_number) const { throw cannot_run(text_of(error_number)); }

}  // namespace kitchen
