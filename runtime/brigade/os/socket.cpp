#include <brigade/os/socket.hpp>

#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cstring>
#include <string>

#include <brigade/os/system_failure.hpp>

namespace brigade::os {
namespace {

std::string name_of(int socket) { return "socket " + std::to_string(socket); }

void wait_for(int socket, short events) {
  pollfd entry{socket, events, 0};
  if (retry_interrupted([&] { return ::poll(&entry, 1, -1); }) == -1) {
    throw_errno("poll", name_of(socket));
  }
}

constexpr std::size_t control_bytes = CMSG_SPACE(max_descriptors_per_message * sizeof(int));

struct alignas(cmsghdr) control_room {
  std::array<std::byte, control_bytes> bytes{};
};

std::vector<unique_fd> take_descriptors(msghdr& message) {
  std::vector<unique_fd> taken;
  taken.reserve(max_descriptors_per_message);  // from here on nothing throws
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr;
       part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(part) + i * sizeof(int), sizeof(int));
      taken.emplace_back(fd);
    }
  }
  return taken;
}

}  // namespace

socket_pair make_socket_pair(socket_kind kind) {
  const int type = kind == socket_kind::stream ? SOCK_STREAM : SOCK_SEQPACKET;
  std::array<int, 2> ends{-1, -1};
  if (::socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends.data()) == -1) throw_errno("socketpair");
  return {unique_fd(ends[0]), unique_fd(ends[1])};
}

void send_full(int socket, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n >= 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(n));
    } else if (errno == EAGAIN) {
      wait_for(socket, POLLOUT);
    } else if (errno != EINTR) {
      throw_errno("send", name_of(socket));
    }
  }
}

void shut_down(int socket) noexcept { ::shutdown(socket, SHUT_RDWR); }

std::size_t receive_some(int socket, std::span<std::byte> room) {
  for (;;) {
    const ssize_t n = ::recv(socket, room.data(), room.size(), 0);
    if (n >= 0) return static_cast<std::size_t>(n);
    if (errno == EAGAIN) {
      wait_for(socket, POLLIN);
    } else if (errno != EINTR) {
      throw_errno("recv", name_of(socket));
    }
  }
}

std::size_t receive_full(int socket, std::span<std::byte> room) {
  std::size_t done = 0;
  while (done < room.size()) {
    const std::size_t n = receive_some(socket, room.subspan(done));
    if (n == 0) break;
    done += n;
  }
  return done;
}

std::optional<std::size_t> try_send(int socket, std::span<const std::byte> bytes) {
  const ssize_t n = retry_interrupted([&] {
    return ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  });
  if (n >= 0) return static_cast<std::size_t>(n);
  if (errno == EAGAIN) return std::nullopt;
  throw_errno("send", name_of(socket));
}

std::optional<std::size_t> try_receive(int socket, std::span<std::byte> room) {
  const ssize_t n = retry_interrupted(
      [&] { return ::recv(socket, room.data(), room.size(), MSG_DONTWAIT); });
  if (n >= 0) return static_cast<std::size_t>(n);
  if (errno == EAGAIN) return std::nullopt;
  throw_errno("recv", name_of(socket));
}

void send_with_descriptors(int socket, std::span<const std::byte> bytes,
                           std::span<const int> descriptors) {
  if (bytes.empty() || descriptors.size() > max_descriptors_per_message) {
    throw_system_failure(EINVAL, "sendmsg", name_of(socket));
  }
  control_room control;
  iovec vector{const_cast<std::byte*>(bytes.data()), bytes.size()};  // sendmsg only reads it
  msghdr message{};
  message.msg_iov = &vector;
  message.msg_iovlen = 1;
  if (!descriptors.empty()) {
    message.msg_control = control.bytes.data();
    message.msg_controllen = CMSG_SPACE(descriptors.size_bytes());
    cmsghdr* part = CMSG_FIRSTHDR(&message);
    part->cmsg_level = SOL_SOCKET;
    part->cmsg_type = SCM_RIGHTS;
    part->cmsg_len = CMSG_LEN(descriptors.size_bytes());
    std::memcpy(CMSG_DATA(part), descriptors.data(), descriptors.size_bytes());
  }
  for (;;) {
    const ssize_t n = ::sendmsg(socket, &message, MSG_NOSIGNAL);
    if (n >= 0) {  // the descriptors went with the first byte
      send_full(socket, bytes.subspan(static_cast<std::size_t>(n)));
      return;
    }
    if (errno == EAGAIN) {
      wait_for(socket, POLLOUT);
    } else if (errno != EINTR) {
      throw_errno("sendmsg", name_of(socket));
    }
  }
}

received_message receive_with_descriptors(int socket, std::span<std::byte> room) {
  control_room control;
  iovec vector{room.data(), room.size()};
  msghdr message{};
  for (;;) {
    message = {};
    message.msg_iov = &vector;
    message.msg_iovlen = 1;
    message.msg_control = control.bytes.data();
    message.msg_controllen = control.bytes.size();
    const ssize_t n = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    if (n >= 0) {
      received_message received{static_cast<std::size_t>(n), take_descriptors(message)};
      if ((message.msg_flags & (MSG_CTRUNC | MSG_TRUNC)) != 0) {
        throw_system_failure(EMSGSIZE, "recvmsg", name_of(socket));
      }
      return received;
    }
    if (errno == EAGAIN) {
      wait_for(socket, POLLIN);
    } else if (errno != EINTR) {
      throw_errno("recvmsg", name_of(socket));
    }
  }
}

}  // namespace brigade::os
