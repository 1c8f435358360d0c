#include "kitchen/supplier.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <algorithm>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/read.hpp>
#include <asio/steady_timer.hpp>
#include <asio/write.hpp>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <brigade/os/process.hpp>

#include "kitchen/fingerprint.hpp"
#include "kitchen/interrupts.hpp"
#include "kitchen/pantry.hpp"
#include "kitchen/problem.hpp"

namespace kitchen {
namespace {

using asio::ip::tcp;
using brigade::os::unique_fd;
using failure = const std::error_code&;

struct reply_counter {
  std::uint64_t served = 0;
  std::uint64_t tampered = 0;
};

// One connection: request, wait, reply, and again until the other end closes.
class session : public std::enable_shared_from_this<session> {
 public:
  session(tcp::socket socket, reply_counter& counter)
      : socket_(std::move(socket)), timer_(socket_.get_executor()), counter_(counter) {}

  void next_request() {
    asio::async_read(socket_, asio::buffer(&request_, sizeof request_),
                     [self = shared_from_this()](failure failed, std::size_t) {
                       if (!failed && self->request_.bytes <= largest_reply) self->wait();
                     });
  }

 private:
  void wait() {
    timer_.expires_after(std::chrono::microseconds(request_.wait_us));
    timer_.async_wait([self = shared_from_this()](failure failed) {
      if (!failed) self->reply();
    });
  }

  void reply() {
    bytes_.resize(request_.bytes);
    fill_bytes(bytes_, request_.seed);
    if (++counter_.served == counter_.tampered && !bytes_.empty()) bytes_[0] ^= std::byte{1};
    asio::async_write(socket_, asio::buffer(bytes_),
                      [self = shared_from_this()](failure failed, std::size_t) {
                        if (!failed) self->next_request();
                      });
  }

  tcp::socket socket_;
  asio::steady_timer timer_;
  reply_counter& counter_;
  supply_request request_;
  std::vector<std::byte> bytes_;
};

class server {
 public:
  server(unique_fd listening, unique_fd lifeline, std::uint64_t tampered)
      : acceptor_(context_, tcp::v4(), listening.release()),
        lifeline_(context_, lifeline.release()),
        retry_(context_) {
    counter_.tampered = tampered;
  }

  void run() {
    lifeline_.async_wait(asio::posix::stream_descriptor::wait_read,
                         [this](failure) { context_.stop(); });
    accept();
    context_.run();
  }

 private:
  void accept() {
    acceptor_.async_accept([this](failure failed, tcp::socket socket) {
      if (failed) {  // out of descriptors, most likely: some will come free
        retry_.expires_after(std::chrono::milliseconds(5));
        retry_.async_wait([this](failure) { accept(); });
        return;
      }
      std::error_code ignored;
      socket.set_option(tcp::no_delay(true), ignored);
      std::make_shared<session>(std::move(socket), counter_)->next_request();
      accept();
    });
  }

  asio::io_context context_{1};
  reply_counter counter_;
  tcp::acceptor acceptor_;
  asio::posix::stream_descriptor lifeline_;
  asio::steady_timer retry_;
};

// Everything but standard error and `kept`, which are above it, since the standard ones are open.
void close_all_but(std::vector<int> kept) {
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  ::dup2(null, STDIN_FILENO);
  ::dup2(null, STDOUT_FILENO);
  std::sort(kept.begin(), kept.end());
  int next = STDERR_FILENO + 1;
  for (const int fd : kept) {
    if (next < fd) ::close_range(static_cast<unsigned>(next), static_cast<unsigned>(fd) - 1, 0);
    next = fd + 1;
  }
  ::close_range(static_cast<unsigned>(next), ~0u, 0);
}

// What the child tells when it is ready: "+" and the pantry's directory, or "-" and what failed.
// A program that is gone hears nothing; that its lifeline has ended tells the child the same.
void tell(const unique_fd& answer, const std::string& text) noexcept {
  try {
    brigade::os::write_full(answer.get(), std::as_bytes(std::span(text)));
  } catch (const std::system_error&) {
  }
}

// The child's descriptors, by what they are for.
struct child_ends {
  unique_fd listening;
  unique_fd lifeline;
  unique_fd answer;
};

// The child's whole life. It ends with the program, not with a signal to the terminal's group:
// signals stay blocked.
void serve(child_ends ends, const supplier_options& options) noexcept {
  ::prctl(PR_SET_NAME, "supplier");
  close_all_but({ends.listening.get(), ends.lifeline.get(), ends.answer.get()});
  std::string pantry;
  try {
    if (options.with_pantry) pantry = make_pantry_directory();
    tell(ends.answer, "+" + pantry);
    ends.answer.reset();
    server(std::move(ends.listening), std::move(ends.lifeline), options.tampered_reply).run();
  } catch (const problem& failed) {
    tell(ends.answer, std::string("-") + failed.what());
  } catch (const std::exception&) {
    // The dishes that wait for it report the broken connection.
  }
  std::error_code ignored;
  if (!pantry.empty()) std::filesystem::remove_all(pantry, ignored);
}

problem cannot_start(const char* what) {
  return cannot_run(std::string("the local server on 127.0.0.1 cannot start: ") + what + ": " +
                    system_text(errno));
}

unique_fd listening_socket(std::uint16_t& port) {
  unique_fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd) throw cannot_start("socket");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  socklen_t size = sizeof address;
  if (::bind(fd.get(), generic, size) != 0) throw cannot_start("bind");
  if (::listen(fd.get(), SOMAXCONN) != 0) throw cannot_start("listen");
  if (::getsockname(fd.get(), generic, &size) != 0) throw cannot_start("getsockname");
  port = ntohs(address.sin_port);
  return fd;
}

// A pipe: returns the end to write to.
unique_fd one_way(unique_fd& read_end) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw cannot_start("pipe2");
  read_end.reset(ends[0]);
  return unique_fd(ends[1]);
}

// All that comes until the other end closes.
std::string told_by(const unique_fd& answer) {
  std::string text(4096, '\0');
  text.resize(brigade::os::read_full(answer.get(), std::as_writable_bytes(std::span(text))));
  return text;
}

}  // namespace

supplier::supplier(const supplier_options& options) {
  child_ends child;
  child.listening = listening_socket(port_);
  lifeline_ = one_way(child.lifeline);
  unique_fd answer;
  child.answer = one_way(answer);
  {
    const signals_held_back during_fork;
    pid_ = ::fork();
    if (pid_ < 0) throw cannot_start("fork");
    if (pid_ == 0) {
      lifeline_.reset();
      answer.reset();
      serve(std::move(child), options);
      ::_exit(0);
    }
  }
  child = {};
  const std::string told = told_by(answer);
  if (told.empty() || told[0] != '+') {
    end();
    throw cannot_run(told.empty() ? "the local server has ended" : told.substr(1));
  }
  pantry_ = told.substr(1);
}

supplier::~supplier() { end(); }

void supplier::end() noexcept {
  lifeline_.reset();
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

void allow_descriptors(std::uint64_t count) {
  const brigade::os::resource_limit limit = brigade::os::read_limit(RLIMIT_NOFILE);
  if (!limit.soft || *limit.soft >= count) return;
  if (limit.hard && *limit.hard < count) {
    throw cannot_run(std::to_string(count) + " open files are needed at once, the limit is " +
                     std::to_string(*limit.hard) + "; give fewer --dishes or raise 'ulimit -n'");
  }
  brigade::os::set_soft_limit(RLIMIT_NOFILE, count);
}

}  // namespace kitchen
