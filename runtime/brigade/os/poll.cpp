#include <brigade/os/poll.hpp>

#include <poll.h>

#include <string>

#include <brigade/os/system_failure.hpp>

namespace brigade::os {

epoll::epoll() : fd_(::epoll_create1(EPOLL_CLOEXEC)) {
  if (!fd_) throw_errno("epoll_create1");
}

void epoll::add(int fd, std::uint32_t events, std::uint64_t token) {
  control(EPOLL_CTL_ADD, fd, events, token);
}

void epoll::modify(int fd, std::uint32_t events, std::uint64_t token) {
  control(EPOLL_CTL_MOD, fd, events, token);
}

void epoll::remove(int fd) noexcept { ::epoll_ctl(fd_.get(), EPOLL_CTL_DEL, fd, nullptr); }

void epoll::control(int operation, int fd, std::uint32_t events, std::uint64_t token) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = token;
  if (::epoll_ctl(fd_.get(), operation, fd, &event) == -1) {
    throw_errno(operation == EPOLL_CTL_ADD ? "epoll_ctl(ADD)" : "epoll_ctl(MOD)",
                "descriptor " + std::to_string(fd));
  }
}

std::span<epoll_event> epoll::wait(std::span<epoll_event> room, std::optional<deadline> until) {
  for (;;) {
    const int n = ::epoll_wait(fd_.get(), room.data(), static_cast<int>(room.size()),
                               milliseconds_until(until));
    if (n >= 0) return room.first(static_cast<std::size_t>(n));
    if (errno != EINTR) throw_errno("epoll_wait");
  }
}

bool wait_readable(int fd, std::optional<deadline> until) {
  pollfd entry{fd, POLLIN, 0};
  for (;;) {
    const int n = ::poll(&entry, 1, milliseconds_until(until));
    if (n > 0) return true;
    if (n == 0) return false;
    if (errno != EINTR) throw_errno("poll", "descriptor " + std::to_string(fd));
  }
}

}  // namespace brigade::os
