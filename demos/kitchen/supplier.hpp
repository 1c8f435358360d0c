// The supplier: a small TCP server on 127.0.0.1 that dishes wait for, in a process of its own.
//
// It is forked while the program still has one thread, so its work is in nobody's figures but its
// own, and it ends when the program does, however that happens: it watches a pipe that only the
// program holds. The pantry's directory is its own too: made first, cleared away last.
//
// A request says how long to wait and how many bytes to send; the bytes depend on nothing but its
// seed, so every kitchen receives the same.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include <brigade/os/fd.hpp>

namespace kitchen {

// On the wire as it is in memory: both ends are this program on this machine.
struct supply_request {
  std::uint64_t seed = 0;
  std::uint32_t wait_us = 0;
  std::uint32_t bytes = 0;  // at most largest_reply
};

inline constexpr std::uint32_t largest_reply = 64 * 1024;

struct supplier_options {
  bool with_pantry = false;          // make a pantry's directory
  std::uint64_t tampered_reply = 0;  // the how many-th reply is altered; 0 is none
};

class supplier {
 public:
  // Call it before any thread is started. Throws `problem` (environment).
  explicit supplier(const supplier_options& options);
  supplier(const supplier&) = delete;
  supplier& operator=(const supplier&) = delete;
  ~supplier();  // returns when the process has ended and the pantry is gone

  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
  [[nodiscard]] pid_t pid() const noexcept { return pid_; }
  [[nodiscard]] const std::string& pantry() const noexcept { return pantry_; }  // "" without

 private:
  void end() noexcept;

  brigade::os::unique_fd lifeline_;
  std::string pantry_;
  std::uint16_t port_ = 0;
  pid_t pid_ = -1;
};

// Lets the program hold `count` descriptors at once, or throws `problem` (environment).
void allow_descriptors(std::uint64_t count);

}  // namespace kitchen
