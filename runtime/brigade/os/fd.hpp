// A descriptor with an owner, and reading and writing that copes with signals and short counts.
//
// Every descriptor made in this room is close-on-exec from birth: nothing reaches another program
// unless spawn() maps it there by number. unique_fd closes exactly once; it is not thread-safe,
// the descriptor in it is.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace brigade::os {

inline constexpr int standard_output = 1;
inline constexpr int standard_error = 2;
inline constexpr int read_and_write = 2;  // O_RDWR

class unique_fd {
 public:
  unique_fd() noexcept = default;
  explicit unique_fd(int fd) noexcept : fd_(fd) {}
  unique_fd(unique_fd&& other) noexcept : fd_(other.release()) {}
  unique_fd& operator=(unique_fd&& other) noexcept {
    if (this != &other) reset(other.release());
    return *this;
  }
  ~unique_fd() { reset(); }

  [[nodiscard]] int get() const noexcept { return fd_; }
  [[nodiscard]] explicit operator bool() const noexcept { return fd_ >= 0; }
  [[nodiscard]] int release() noexcept { return std::exchange(fd_, -1); }
  void reset(int fd = -1) noexcept;  // leaves errno as it was

 private:
  int fd_ = -1;
};

// open(2) with O_CLOEXEC added.
[[nodiscard]] unique_fd open_file(const std::string& path, int flags, mode_t mode = 0600);

// A second descriptor of the same file description, numbered `at_least` or higher.
[[nodiscard]] unique_fd duplicate(int fd, int at_least = 0);

// Makes `number` another name of it, in the place of what was open there; programs that are started
// inherit it.
void put_in_place(int fd, int number);

[[nodiscard]] bool is_open(int fd) noexcept;
void set_nonblocking(int fd, bool on);
[[nodiscard]] bool is_close_on_exec(int fd);
void set_close_on_exec(int fd);
// Closes every descriptor from that number on, whoever has it.
void close_all_from(int number) noexcept;

// Which file a descriptor is of: its number may become that of another one.
struct file_identity {
  dev_t device = 0;
  ino_t inode = 0;
  bool operator==(const file_identity&) const = default;
};
[[nodiscard]] file_identity identity_of(int fd);
// False also when nothing is open there.
[[nodiscard]] bool is_same_file(int fd, const file_identity& known) noexcept;

// Reads until `room` is full or the stream ends; returns how many bytes were read. Waits also on
// a non-blocking descriptor.
[[nodiscard]] std::size_t read_full(int fd, std::span<std::byte> room);

// Writes everything, waiting where it has to. A closed pipe raises SIGPIPE as write(2) does; for
// sockets use send_full, which does not.
void write_full(int fd, std::span<const std::byte> bytes);

// One read: nullopt when a non-blocking descriptor has nothing, 0 at the end of the stream.
[[nodiscard]] std::optional<std::size_t> try_read(int fd, std::span<std::byte> room);

// What a file holds from its start on, `most` bytes of it, wherever its offset is.
[[nodiscard]] std::vector<std::byte> read_from_start(int fd, std::size_t most);

// Makes `bytes` all that is in the file; it is created when there is none.
void write_whole_file(const std::string& path, std::span<const std::byte> bytes);

// The whole text of a file, also of one in /proc whose size reads 0.
[[nodiscard]] std::string read_text_file(const std::string& path);
// The same, nullopt when it cannot be opened or read.
[[nodiscard]] std::optional<std::string> try_read_text_file(const std::string& path);

}  // namespace brigade::os
