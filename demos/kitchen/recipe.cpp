#include "kitchen/recipe.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <asio/buffer.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/read.hpp>
#include <asio/write.hpp>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <span>
#include <system_error>
#include <thread>

#include "kitchen/clocks.hpp"
#include "kitchen/fingerprint.hpp"
#include "kitchen/pantry.hpp"
#include "kitchen/stove.hpp"
#include "kitchen/supplier.hpp"

namespace kitchen {
namespace {

constexpr std::uint32_t reply_bytes = 1024;
using reply = std::array<std::byte, reply_bytes>;

// What both forms share: the notes taken while a dish is cooked.
class notes {
 public:
  explicit notes(const order& asked) {
    const brigade::current_task here = brigade::current();
    made_.index = asked.index;
    made_.worker = here.worker;
    made_.pid = ::getpid();
    made_.tid = ::gettid();
    made_.start_ns = now_ns();
    made_.hash = asked.seed;
    cpu_since_ns_ = thread_cpu_ns();
  }

  void begin(step_kind kind) { made_.steps.push_back({kind, now_ns(), 0}); }
  void end() { made_.steps.back().end_ns = now_ns(); }

  // A coroutine says so around each co_await: what its thread does in between is for others.
  void hands_off() { made_.cpu_ns += thread_cpu_ns() - cpu_since_ns_; }
  void hands_on() { cpu_since_ns_ = thread_cpu_ns(); }
  void helped_ns(std::int64_t cpu_ns) { made_.cpu_ns += cpu_ns; }

  void note(std::uint64_t result) { made_.hash = combined(made_.hash, result); }
  void note(const reply& received) { note(fingerprint(received, 0)); }

  [[nodiscard]] serving finished() {
    hands_off();
    made_.end_ns = now_ns();
    return std::move(made_);
  }

 private:
  serving made_;
  std::int64_t cpu_since_ns_ = 0;
};

supply_request request_of(const order& asked, std::uint32_t number) {
  return {combined(asked.seed, number), asked.wait_us, reply_bytes};
}

// --- plain blocking code ---------------------------------------------------------------------

[[noreturn]] void supplier_failed(const char* call) {
  throw std::system_error(errno, std::generic_category(), std::string("supplier: ") + call);
}

// Closing resets the connection, so that thousands of them leave no ports in TIME_WAIT.
constexpr linger reset_on_close{1, 0};

class supply_line {
 public:
  explicit supply_line(std::uint16_t port)
      : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    if (!socket_) supplier_failed("socket");
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int on = 1;
    ::setsockopt(socket_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &reset_on_close, sizeof reset_on_close);
    if (::connect(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
      supplier_failed("connect");
    }
  }

  void fetch(const supply_request& request, reply& received) {
    const ssize_t sent = ::send(socket_.get(), &request, sizeof request, MSG_NOSIGNAL);
    if (sent != static_cast<ssize_t>(sizeof request)) supplier_failed("send");
    for (std::size_t done = 0; done < received.size();) {
      const ssize_t n =
          ::recv(socket_.get(), received.data() + done, received.size() - done, MSG_WAITALL);
      if (n < 0 && errno == EINTR) continue;
      if (n == 0) errno = ECONNRESET;
      if (n <= 0) supplier_failed("recv");
      done += static_cast<std::size_t>(n);
    }
  }

 private:
  brigade::os::unique_fd socket_;
};

void fetch_replies(const order& asked, notes& taken) {
  supply_line line(asked.supplier_port);
  reply received;
  for (std::uint32_t number = 0; number < asked.replies; ++number) {
    taken.begin(step_kind::reply);
    line.fetch(request_of(asked, number), received);
    taken.end();
    taken.note(received);
  }
}

void compute(const order& asked, notes& taken) {
  if (asked.stirs == 0) return;
  taken.begin(step_kind::cpu);
  taken.note(stir(asked.seed, asked.stirs));
  taken.end();
}

// --- the coroutine ---------------------------------------------------------------------------

brigade::task<void> await_replies(const order& asked, notes& taken) {
  using asio::ip::tcp;
  tcp::socket socket(brigade::io_context());
  socket.open(tcp::v4());
  socket.set_option(tcp::no_delay(true));
  socket.set_option(asio::socket_base::linger(true, 0));
  const tcp::endpoint supplier(asio::ip::address_v4::loopback(), asked.supplier_port);
  taken.hands_off();
  co_await socket.async_connect(supplier, brigade::use_task);
  taken.hands_on();
  reply received;
  for (std::uint32_t number = 0; number < asked.replies; ++number) {
    const supply_request request = request_of(asked, number);
    taken.begin(step_kind::reply);
    taken.hands_off();
    co_await asio::async_write(socket, asio::buffer(&request, sizeof request), brigade::use_task);
    co_await asio::async_read(socket, asio::buffer(received), brigade::use_task);
    taken.hands_on();
    taken.end();
    taken.note(received);
  }
}

struct file_result {
  std::uint64_t hash = 0;
  std::int64_t cpu_ns = 0;
};

// Runs on a thread on behalf of a dish on the loop. It owns what it uses: a dish that is cancelled
// is gone at once, with its order, while this goes on to its end.
file_result help_with_file(const std::string& pantry, std::uint32_t bytes, std::uint32_t file,
                           std::uint32_t dish) {
  const std::int64_t before = thread_cpu_ns();
  const auto hash = work_with_file(pantry, bytes, file, dish);
  return {hash, thread_cpu_ns() - before};
}

brigade::task<void> await_files(const order& asked, notes& taken) {
  taken.begin(step_kind::files);
  for (std::uint32_t file = 0; file < asked.files; ++file) {
    taken.hands_off();
    const file_result done = co_await brigade::submit(
        brigade::threads, help_with_file, asked.pantry, asked.file_bytes, file, asked.index);
    taken.hands_on();
    taken.helped_ns(done.cpu_ns);
    taken.note(done.hash);
  }
  clear_plate(asked.pantry, asked.index);
  taken.end();
}

}  // namespace

serving cook(const order& asked) {
  notes taken(asked);
  if (asked.replies > 0) {
    fetch_replies(asked, taken);
  } else if (asked.wait_us > 0) {
    taken.begin(step_kind::timer);
    std::this_thread::sleep_for(std::chrono::microseconds(asked.wait_us));
    taken.end();
  }
  if (asked.files > 0) {
    taken.begin(step_kind::files);
    for (std::uint32_t file = 0; file < asked.files; ++file) {
      taken.note(work_with_file(asked.pantry, asked.file_bytes, file, asked.index));
    }
    clear_plate(asked.pantry, asked.index);
    taken.end();
  }
  compute(asked, taken);
  return taken.finished();
}

brigade::task<serving> cook_as_coroutine(order asked) {
  notes taken(asked);
  if (asked.replies > 0) {
    co_await await_replies(asked, taken);
  } else if (asked.wait_us > 0) {
    taken.begin(step_kind::timer);
    taken.hands_off();
    co_await brigade::sleep_for(std::chrono::microseconds(asked.wait_us));
    taken.hands_on();
    taken.end();
  }
  if (asked.files > 0) co_await await_files(asked, taken);
  compute(asked, taken);
  co_return taken.finished();
}

}  // namespace kitchen
