// The simplest process pool: a forked child at the end of a socket pair each, which sends back what
// it gets. What a pool of worker processes is measured against.
#pragma once

#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <stdexcept>
#include <vector>

namespace bench {

class socket_pool {
 public:
  explicit socket_pool(unsigned count) {
    for (unsigned i = 0; i < count; ++i) {
      int pair[2];
      if (::socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0) throw std::runtime_error("socketpair");
      const pid_t child = ::fork();
      if (child == 0) {
        ::close(pair[0]);
        for (const int other : sockets_)
          ::close(other);
        serve(pair[1]);
      }
      ::close(pair[1]);
      sockets_.push_back(pair[0]);
      children_.push_back(child);
    }
  }
  socket_pool(const socket_pool&) = delete;
  socket_pool& operator=(const socket_pool&) = delete;
  ~socket_pool() {
    for (const int each : sockets_)
      ::close(each);
    for (const pid_t each : children_)
      ::waitpid(each, nullptr, 0);
  }

  void send(unsigned to, int value) { all(::write(sockets_[to], &value, sizeof value)); }
  int receive(unsigned from) {
    int value = 0;
    all(::read(sockets_[from], &value, sizeof value));
    return value;
  }
  void echo(std::vector<char>& bytes) {
    const std::size_t size = bytes.size();
    std::size_t sent = 0;
    std::size_t got = 0;
    while (got < size) {
      if (sent < size) {
        const ssize_t n = ::send(sockets_[0], bytes.data() + sent,
                                 std::min<std::size_t>(size - sent, 1 << 18), MSG_DONTWAIT);
        if (n > 0) sent += static_cast<std::size_t>(n);
      }
      const ssize_t n =
          ::recv(sockets_[0], bytes.data() + got, size - got, sent < size ? MSG_DONTWAIT : 0);
      if (n > 0) got += static_cast<std::size_t>(n);
    }
  }

 private:
  static void all(ssize_t n) {
    if (n != sizeof(int)) throw std::runtime_error("socket pair");
  }
  [[noreturn]] static void serve(int socket) {
    std::vector<char> room(1 << 18);
    for (;;) {
      const ssize_t n = ::read(socket, room.data(), room.size());
      if (n <= 0) ::_exit(0);
      for (ssize_t at = 0; at < n;) {
        const ssize_t m = ::write(socket, room.data() + at, static_cast<std::size_t>(n - at));
        if (m <= 0) ::_exit(0);
        at += m;
      }
    }
  }

  std::vector<int> sockets_;
  std::vector<pid_t> children_;
};

}  // namespace bench
