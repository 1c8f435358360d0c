#include <brigade/processes/nursery.hpp>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <brigade/base/error.hpp>
#include <brigade/os/proc.hpp>
#include <brigade/os/signal.hpp>
#include <brigade/os/socket.hpp>
#include <brigade/os/thread.hpp>
#include <brigade/processes/program.hpp>

namespace brigade::detail {
namespace {

constexpr std::chrono::milliseconds end_limit{1000};

void send_byte(int socket, std::span<const int> descriptors) {
  const std::array<std::byte, 1> sign{std::byte{1}};
  os::send_with_descriptors(socket, sign, descriptors);
}

// Returns in the new supervisor what it starts with.
std::optional<std::vector<os::unique_fd>> serve(int control) {
  for (;;) {
    std::array<std::byte, 1> sign{};
    os::received_message order = os::receive_with_descriptors(control, sign);
    if (order.bytes == 0) return std::nullopt;
    const pid_t pid = os::fork_child();
    if (pid == 0) return std::move(order.descriptors);
    try {
      const os::unique_fd pidfd = os::open_pidfd(pid);
      const std::array<int, 1> answer{pidfd.get()};
      send_byte(control, answer);
    } catch (const std::system_error&) {  // it has ended already, or there is no descriptor left
      send_byte(control, {});
    }
  }
}

[[noreturn]] void live(os::unique_fd control) noexcept {
  // Nothing of the host's may run when it, or one of its children, ends; nor may descriptors of the
  // host's stay open.
  os::skip_exit_handlers();
  os::reset_signals();
  for (const int signal : {SIGINT, SIGQUIT, SIGHUP, SIGCHLD})
    os::ignore_signal(signal);
  const int kept = 3;
  os::put_in_place(control.get(), kept);
  os::close_all_from(kept + 1);
  (void)control.release();
  os::put_in_place(os::open_file("/dev/null", os::read_and_write).get(), 0);
  os::set_close_on_exec(kept);
  control.reset(kept);
  os::set_thread_name("brigade-nursery");
  std::optional<std::vector<os::unique_fd>> born = serve(control.get());
  if (!born) std::_Exit(0);
  control.reset();
  os::reset_signals();  // SIGCHLD: a supervisor waits for its children
  os::unique_fd preload;
  if (born->size() > 2) preload = std::move((*born)[2]);
  play_forked_supervisor(std::move(born->at(0)), std::move(born->at(1)), std::move(preload));
}

}  // namespace

nursery::nursery() {
  const std::string cure =
      "; make the runtime before the first thread, or take another start method: those need "
      "brigade::init(argc, argv) as the first line of main()";
  if (!os::has_one_thread()) {
    throw worker_start_failed(
        "the start method fork needs a process with a single thread, and this one has " +
            std::to_string(os::threads_of(os::process_id()).size()) + cure,
        {});
  }
  os::socket_pair pair = os::make_socket_pair(os::socket_kind::packets);
  std::fflush(nullptr);  // what is buffered would be written by both
  const pid_t pid = os::fork_child();
  if (pid == 0) {
    pair.first.reset();
    live(std::move(pair.second));
  }
  process_ = os::child_process(pid);
  control_ = std::move(pair.first);
}

nursery::~nursery() {
  os::shut_down(control_.get());
  (void)process_.wait_until(std::chrono::steady_clock::now() + end_limit);
}

os::unique_fd nursery::bear(int link, int lifeline, int preload) {
  const std::array<int, 3> descriptors{link, lifeline, preload};
  os::received_message answer;
  try {
    send_byte(control_.get(), std::span(descriptors).first(preload < 0 ? 2 : 3));
    std::array<std::byte, 1> sign{};
    answer = os::receive_with_descriptors(control_.get(), sign);
  } catch (const std::system_error&) {  // EPIPE, ECONNRESET: as when nothing comes
  }
  if (answer.bytes == 0) {
    throw std::runtime_error("the process that forks supervisors has ended; make a new runtime");
  }
  if (answer.descriptors.empty()) {
    throw std::runtime_error("the supervisor that was forked ended at once");
  }
  return std::move(answer.descriptors.front());
}

}  // namespace brigade::detail
