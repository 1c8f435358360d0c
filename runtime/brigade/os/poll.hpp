// Waiting for descriptors: an owner of an epoll set, and a wait for a single one.
#pragma once

#include <sys/epoll.h>

#include <cstdint>
#include <optional>
#include <span>

#include <brigade/os/clock.hpp>
#include <brigade/os/fd.hpp>

namespace brigade::os {

// A set of watched descriptors, each with a token that comes back with its events. Threads may
// add and remove while another waits.
class epoll {
 public:
  epoll();

  [[nodiscard]] int get() const noexcept { return fd_.get(); }

  // `events` as for epoll_ctl(2): EPOLLIN, EPOLLOUT, EPOLLET...
  void add(int fd, std::uint32_t events, std::uint64_t token);
  void modify(int fd, std::uint32_t events, std::uint64_t token);
  void remove(int fd) noexcept;

  // Waits for at least one event and returns those that came, in `room`; none when the deadline
  // passed. Signals do not end it. `room` must not be empty.
  std::span<epoll_event> wait(std::span<epoll_event> room,
                              std::optional<deadline> until = std::nullopt);

 private:
  void control(int operation, int fd, std::uint32_t events, std::uint64_t token);

  unique_fd fd_;
};

// Waits until `fd` is readable (or has ended or failed); false when the deadline passed.
[[nodiscard]] bool wait_readable(int fd, std::optional<deadline> until = std::nullopt);

}  // namespace brigade::os
