#include <brigade/os/fd.hpp>

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include <brigade/os/system_failure.hpp>

namespace brigade::os {
namespace {

std::string name_of(int fd) { return "descriptor " + std::to_string(fd); }

void wait_for(int fd, short events) {
  pollfd entry{fd, events, 0};
  if (retry_interrupted([&] { return ::poll(&entry, 1, -1); }) == -1) {
    throw_errno("poll", name_of(fd));
  }
}

// Reads on to the end of the file; -1 with errno on failure. The size that it says it has saves
// calls: asked for one byte more, a file that has no more answers with less, and is at its end.
int read_rest(int fd, std::string& text) {
  struct stat about = {};
  const bool sized = ::fstat(fd, &about) == 0 && S_ISREG(about.st_mode) && about.st_size > 0;
  std::size_t room = sized ? static_cast<std::size_t>(about.st_size) + 1 : 4096;
  for (std::size_t done = 0;;) {
    text.resize(done + room);
    const ssize_t n = retry_interrupted([&] { return ::read(fd, text.data() + done, room); });
    if (n > 0) done += static_cast<std::size_t>(n);
    const bool ended = n <= 0 || (sized && done + 1 == text.size());
    if (ended || done < text.size()) text.resize(done);
    if (ended) return n < 0 ? -1 : 0;
    room = std::max<std::size_t>(4096, done);
  }
}

}  // namespace

void unique_fd::reset(int fd) noexcept {
  const int old = std::exchange(fd_, fd);
  if (old < 0) return;
  const int saved = errno;
  ::close(old);  // never repeated: Linux frees the number even when close is interrupted
  errno = saved;
}

unique_fd open_file(const std::string& path, int flags, mode_t mode) {
  unique_fd fd(retry_interrupted([&] { return ::open(path.c_str(), flags | O_CLOEXEC, mode); }));
  if (!fd) throw_errno("open", "'" + path + "'");
  return fd;
}

unique_fd duplicate(int fd, int at_least) {
  unique_fd copy(::fcntl(fd, F_DUPFD_CLOEXEC, at_least));
  if (!copy) throw_errno("fcntl(F_DUPFD_CLOEXEC)", name_of(fd));
  return copy;
}

void put_in_place(int fd, int number) {
  if (retry_interrupted([&] { return ::dup2(fd, number); }) == -1) throw_errno("dup2", name_of(fd));
}

bool is_open(int fd) noexcept { return ::fcntl(fd, F_GETFD) != -1; }

void set_nonblocking(int fd, bool on) {
  const int flags = ::fcntl(fd, F_GETFL);
  if (flags == -1) throw_errno("fcntl(F_GETFL)", name_of(fd));
  const int wanted = on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
  if (::fcntl(fd, F_SETFL, wanted) == -1) throw_errno("fcntl(F_SETFL)", name_of(fd));
}

bool is_close_on_exec(int fd) {
  const int flags = ::fcntl(fd, F_GETFD);
  if (flags == -1) throw_errno("fcntl(F_GETFD)", name_of(fd));
  return (flags & FD_CLOEXEC) != 0;
}

void set_close_on_exec(int fd) {
  if (::fcntl(fd, F_SETFD, FD_CLOEXEC) == -1) throw_errno("fcntl(F_SETFD)", name_of(fd));
}

void close_all_from(int number) noexcept { ::close_range(static_cast<unsigned>(number), ~0U, 0); }

std::size_t read_full(int fd, std::span<std::byte> room) {
  std::size_t done = 0;
  while (done < room.size()) {
    const ssize_t n = ::read(fd, room.data() + done, room.size() - done);
    if (n > 0) {
      done += static_cast<std::size_t>(n);
    } else if (n == 0) {
      break;
    } else if (errno == EAGAIN) {
      wait_for(fd, POLLIN);
    } else if (errno != EINTR) {
      throw_errno("read", name_of(fd));
    }
  }
  return done;
}

file_identity identity_of(int fd) {
  struct stat status {};
  if (::fstat(fd, &status) == -1) throw_errno("fstat", name_of(fd));
  return {status.st_dev, status.st_ino};
}

bool is_same_file(int fd, const file_identity& known) noexcept {
  struct stat status {};
  return ::fstat(fd, &status) == 0 && file_identity{status.st_dev, status.st_ino} == known;
}

void write_full(int fd, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n >= 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(n));
    } else if (errno == EAGAIN) {
      wait_for(fd, POLLOUT);
    } else if (errno != EINTR) {
      throw_errno("write", name_of(fd));
    }
  }
}

std::optional<std::size_t> try_read(int fd, std::span<std::byte> room) {
  const ssize_t n = retry_interrupted([&] { return ::read(fd, room.data(), room.size()); });
  if (n >= 0) return static_cast<std::size_t>(n);
  if (errno == EAGAIN) return std::nullopt;
  throw_errno("read", name_of(fd));
}

std::vector<std::byte> read_from_start(int fd, std::size_t most) {
  std::vector<std::byte> bytes;
  std::array<std::byte, 4096> room;
  while (bytes.size() < most) {
    const ssize_t n = retry_interrupted([&] {
      return ::pread(fd, room.data(), std::min(room.size(), most - bytes.size()),
                     static_cast<off_t>(bytes.size()));
    });
    if (n == -1) throw_errno("pread", name_of(fd));
    if (n == 0) break;
    bytes.insert(bytes.end(), room.begin(), room.begin() + n);
  }
  return bytes;
}

void write_whole_file(const std::string& path, std::span<const std::byte> bytes) {
  const unique_fd fd = open_file(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
  while (!bytes.empty()) {
    const ssize_t n =
        retry_interrupted([&] { return ::write(fd.get(), bytes.data(), bytes.size()); });
    if (n == -1) throw_errno("write", "'" + path + "'");
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
}

std::string read_text_file(const std::string& path) {
  const unique_fd fd = open_file(path, O_RDONLY);
  std::string text;
  if (read_rest(fd.get(), text) == -1) throw_errno("read", "'" + path + "'");
  return text;
}

std::optional<std::string> try_read_text_file(const std::string& path) {
  const unique_fd fd(retry_interrupted([&] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC); }));
  std::string text;
  if (!fd || read_rest(fd.get(), text) == -1) return std::nullopt;
  return text;
}

}  // namespace brigade::os
