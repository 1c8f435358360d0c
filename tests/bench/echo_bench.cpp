// L3: TCP echo of 64 bytes. The server is a process of its own, whose CPU time for each message is
// what counts: the client, plain epoll in the process that measures, is the same for all.
#include "bench.hpp"

#include <brigade/brigade.hpp>
#include <brigade/reactor/io_context.hpp>
#include <brigade/reactor/use_task.hpp>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <asio/awaitable.hpp>
#include <asio/buffer.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>

#if BENCH_LIBUV
#include <uv.h>
#endif

namespace {

using namespace bench;
using asio::ip::tcp;

constexpr std::size_t message_bytes = 64;
constexpr std::size_t buffer_bytes = 1024;

void check(bool well, const char* what) {
  if (!well) throw std::runtime_error(what);
}

// --- servers: each takes a listening socket and serves until it is killed ------------------------

void serve_epoll(int listener) {
  const int poll = ::epoll_create1(EPOLL_CLOEXEC);
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = listener;
  ::epoll_ctl(poll, EPOLL_CTL_ADD, listener, &event);
  std::array<epoll_event, 128> ready;
  std::array<char, buffer_bytes> buffer;
  for (;;) {
    const int count = ::epoll_wait(poll, ready.data(), static_cast<int>(ready.size()), -1);
    for (int index = 0; index < count; ++index) {
      const int fd = ready[static_cast<std::size_t>(index)].data.fd;
      if (fd == listener) {
        event.data.fd = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
        const int on = 1;
        ::setsockopt(event.data.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        ::epoll_ctl(poll, EPOLL_CTL_ADD, event.data.fd, &event);
        continue;
      }
      const ssize_t got = ::read(fd, buffer.data(), buffer.size());
      if (got <= 0 || ::write(fd, buffer.data(), static_cast<std::size_t>(got)) != got) {
        ::close(fd);
      }
    }
  }
}

brigade::task<void> our_session(tcp::socket socket) {
  std::array<char, buffer_bytes> buffer;
  try {
    for (;;) {
      const std::size_t got =
          co_await socket.async_read_some(asio::buffer(buffer), brigade::use_task);
      co_await asio::async_write(socket, asio::buffer(buffer, got), brigade::use_task);
    }
  } catch (const std::system_error&) {  // the client has gone
  }
}

brigade::task<void> our_server(int listener) {
  tcp::acceptor acceptor(brigade::io_context(), tcp::v4(), listener);
  for (;;) {
    tcp::socket socket = co_await acceptor.async_accept(brigade::use_task);
    socket.set_option(tcp::no_delay(true));
    brigade::post(brigade::loop, our_session, std::move(socket));
  }
}

void serve_ours(int listener) {
  brigade::runtime runtime;
  runtime.submit(brigade::loop, our_server, listener).get();
}

asio::awaitable<void> asio_session(tcp::socket socket) {
  std::array<char, buffer_bytes> buffer;
  try {
    for (;;) {
      const std::size_t got =
          co_await socket.async_read_some(asio::buffer(buffer), asio::use_awaitable);
      co_await asio::async_write(socket, asio::buffer(buffer, got), asio::use_awaitable);
    }
  } catch (const std::system_error&) {
  }
}

void serve_asio(int listener) {
  asio::io_context io(1);
  asio::co_spawn(
      io,
      [&]() -> asio::awaitable<void> {
        tcp::acceptor acceptor(io, tcp::v4(), listener);
        for (;;) {
          tcp::socket socket = co_await acceptor.async_accept(asio::use_awaitable);
          socket.set_option(tcp::no_delay(true));
          asio::co_spawn(io, asio_session(std::move(socket)), asio::detached);
        }
      },
      asio::detached);
  io.run();
}

#if BENCH_LIBUV
struct uv_session {
  uv_tcp_t socket;
  uv_write_t write;
  std::array<char, buffer_bytes> buffer;
};

void serve_libuv(int listener) {
  static uv_loop_t loop;
  uv_loop_init(&loop);
  uv_tcp_t server;
  uv_tcp_init(&loop, &server);
  uv_tcp_open(&server, listener);
  uv_listen(reinterpret_cast<uv_stream_t*>(&server), 1024, [](uv_stream_t* from, int) {
    auto* const session = new uv_session;
    uv_tcp_init(&loop, &session->socket);
    session->socket.data = session;
    uv_accept(from, reinterpret_cast<uv_stream_t*>(&session->socket));
    uv_tcp_nodelay(&session->socket, 1);
    uv_read_start(
        reinterpret_cast<uv_stream_t*>(&session->socket),
        [](uv_handle_t* handle, std::size_t, uv_buf_t* into) {
          auto* const mine = static_cast<uv_session*>(handle->data);
          *into = uv_buf_init(mine->buffer.data(), buffer_bytes);
        },
        [](uv_stream_t* stream, ssize_t got, const uv_buf_t* from_buffer) {
          auto* const mine = static_cast<uv_session*>(stream->data);
          if (got < 0) {
            uv_close(reinterpret_cast<uv_handle_t*>(stream),
                     [](uv_handle_t* closed) { delete static_cast<uv_session*>(closed->data); });
            return;
          }
          const uv_buf_t out = uv_buf_init(from_buffer->base, static_cast<unsigned>(got));
          uv_write(&mine->write, stream, &out, 1, [](uv_write_t*, int) {});
        });
  });
  uv_run(&loop, UV_RUN_DEFAULT);
}
#endif

// --- the client ----------------------------------------------------------------------------------

std::vector<int> connect_all(const sockaddr_in& to, std::size_t connections, int poll) {
  std::vector<int> sockets;
  for (std::size_t index = 0; index < connections; ++index) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    check(::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0, "connect");
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    ::epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event);
    sockets.push_back(fd);
  }
  return sockets;
}

// Keeps one message under way on every connection until `messages` have come back.
void converse(const std::vector<int>& sockets, int poll, std::size_t messages) {
  std::array<char, message_bytes> message{};
  std::array<epoll_event, 128> ready;
  const auto send = [&](int fd) {
    check(::write(fd, message.data(), message.size()) == message_bytes, "write");
  };
  for (const int fd : sockets)
    send(fd);
  std::size_t back = 0;
  std::size_t sent = sockets.size();
  while (back < sent) {
    const int count = ::epoll_wait(poll, ready.data(), static_cast<int>(ready.size()), -1);
    for (int index = 0; index < count; ++index) {
      const int fd = ready[static_cast<std::size_t>(index)].data.fd;
      check(::read(fd, message.data(), message.size()) == message_bytes, "short read");
      ++back;
      if (sent < messages) {
        ++sent;
        send(fd);
      }
    }
  }
}

double cpu_of(pid_t process) {
  clockid_t clock{};
  timespec time{};
  check(::clock_getcpuclockid(process, &clock) == 0, "clock_getcpuclockid");
  ::clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

template <class Serve>
sample echo(const Serve& serve, std::size_t connections, std::size_t messages) {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  check(::bind(listener, reinterpret_cast<sockaddr*>(&address), size) == 0, "bind");
  check(::listen(listener, 1024) == 0, "listen");
  ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  const pid_t server = ::fork();
  if (server == 0) {
    serve(listener);
    ::_exit(0);
  }
  ::close(listener);
  const int poll = ::epoll_create1(EPOLL_CLOEXEC);
  const std::vector<int> sockets = connect_all(address, connections, poll);
  converse(sockets, poll, messages / 10 + connections);  // warm
  const double before = cpu_of(server);
  const stopwatch watch;
  converse(sockets, poll, messages + connections);
  const auto sent = static_cast<double>(messages + connections);
  const double us = 1e6 * (cpu_of(server) - before) / sent;
  const double rate = sent / watch.seconds();
  ::kill(server, SIGKILL);
  ::waitpid(server, nullptr, 0);
  return {us, 1e9 / rate, 0};
}

}  // namespace

int main(int argc, char** argv) {
  program run(argc, argv);
  const std::size_t messages = run.operations(300'000);
  for (const std::size_t connections : {64U, 1000U}) {
    comparison what{"L3 echo, " + std::to_string(connections) +
                        " connections (CPU column: ns of wall time each)",
                    "us CPU each",
                    better::lower,
                    {}};
    const auto add = [&](const char* name, void (*serve)(int)) {
      what.contenders.push_back({name, nullptr});
      if (serve == nullptr) return;
      what.contenders.back().run = [=] { return echo(serve, connections, messages); };
    };
    add("brigade, use_task", serve_ours);
    add("epoll by hand", serve_epoll);
    add("asio::awaitable", serve_asio);
#if BENCH_LIBUV
    add("libuv", serve_libuv);
#else
    add("libuv", nullptr);
#endif
    run.compare(what);
  }
  return run.result();
}
