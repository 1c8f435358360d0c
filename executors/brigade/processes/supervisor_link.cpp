#include <brigade/processes/supervisor_link.hpp>

#include <csignal>
#include <system_error>
#include <utility>
#include <vector>

#include <brigade/codec/codec.hpp>
#include <brigade/os/memfd.hpp>
#include <brigade/os/poll.hpp>
#include <brigade/os/socket.hpp>
#include <brigade/os/spawn.hpp>
#include <brigade/processes/failure.hpp>
#include <brigade/processes/program.hpp>
#include <brigade/processes/worker_life.hpp>

namespace brigade::detail {
namespace {

// A task's own fork may hold the lifeline for as long as it likes.
constexpr std::chrono::milliseconds estate_limit{10000};

}  // namespace

void supervisor_link::start(const processes_options& options, follows follow, nursery* birthplace) {
  os::socket_pair pair = os::make_socket_pair(os::socket_kind::packets);
  lifeline_.emplace();
  os::unique_fd preload;
  if (options.preload && options.start != start_method::spawn) {
    preload = os::make_sealed_memfd("brigade-preload", options.preload.bytes());
  }
  same_program_ = options.worker_program.empty();
  if (birthplace != nullptr) {
    born_ = birthplace->bear(pair.second.get(), lifeline_->holder_end(), preload.get());
  } else {
    process_ = start_program(options, follow, pair.second.get(), preload.get());
  }
  lifeline_->keep_to_holders();
  mark_ = {};
  mark_.put_on(born_ ? os::pid_of(born_) : process_.pid());  // before it has an order to start any
  socket_ = std::move(pair.first);
  state_ = state::starting;
}

os::child_process supervisor_link::start_program(const processes_options& options, follows follow,
                                                 int link, int preload) {
  part played{role::supervisor, options.start, follow == follows::thread ? os::process_id() : 0};
  os::spawn_options program;
  program.environment = os::environment_with(pool_variables(options));
  program.descriptors = {{lifeline_->holder_end(), lifeline_number}, {link, first_number}};
  if (preload >= 0) {
    program.descriptors.push_back({preload, first_number + 1});
    played.descriptors = 2;
  }
  for (const int number : {1, 2}) {
    if (os::is_open(number)) program.descriptors.push_back({number, number});
  }
  if (!same_program_) program.path = options.worker_program;
  program.arguments = {same_program_ ? name_of_this_program() : options.worker_program,
                       to_argument(played)};
  return os::spawn(program);
}

bool supervisor_link::order(const supervisor_order& message, std::span<const int> descriptors) {
  if (state_ == state::down) return false;
  nudge();
  try {
    os::send_with_descriptors(socket_.get(), codec::to_bytes(message), descriptors);
    return true;
  } catch (const std::system_error&) {
    return false;  // the end of the link will be heard
  }
}

void supervisor_link::send_signal(int signal) noexcept {
  if (process_) {
    process_.kill(signal);
  } else if (born_) {
    try {
      (void)os::send_signal(born_, signal);
    } catch (const std::system_error&) {  // not ours to signal any more
    }
  }
}

std::variant<supervisor_link::ended, supervisor_link::greeted, supervisor_link::reported>
supervisor_link::receive() {
  std::vector<std::byte> room(state_ == state::starting ? most_packet_bytes : 4096);
  os::received_message message;
  try {
    message = os::receive_with_descriptors(socket_.get(), room);
  } catch (const std::system_error&) {
    return ended{};  // ECONNRESET
  }
  if (message.bytes == 0) return ended{};
  const auto bytes = std::span<const std::byte>(room).first(message.bytes);
  if (state_ == state::starting) {
    const hello first = decode_hello(bytes);
    greeted greeting{objection_to(first, same_program_), decode_failure(first.failure, {})};
    if (greeting.objection.empty() && !greeting.failure) state_ = state::up;
    return greeting;
  }
  reported report{codec::from_bytes<supervisor_report>(bytes), {}};
  if (!message.descriptors.empty()) report.descriptor = std::move(message.descriptors.front());
  return report;
}

os::process_end supervisor_link::end(std::chrono::milliseconds grace) {
  if (state_ == state::down) return {};
  os::shut_down(socket_.get());
  socket_.reset();
  const auto limit = std::chrono::steady_clock::now() + grace;
  std::optional<os::process_end> how;
  if (born_) {
    if (!os::wait_readable(born_.get(), limit)) {
      (void)os::send_signal(born_, SIGKILL);
      (void)os::wait_readable(born_.get());
    }
    (void)os::try_reap(born_);  // where its nursery has ended before it
    how.emplace();              // else that has reaped it
    born_.reset();
  } else {
    how = process_.wait_until(limit);
    if (!how) {
      process_.kill(SIGKILL);
      how = process_.wait();
    }
  }
  if (how->exit_code != 0 && os::adopts_orphans()) settle_estate();
  lifeline_.reset();  // after the supervisor: its workers are dead or die now
  state_ = state::down;
  return *how;
}

// The kernel ends the children of a supervisor that has died, and who adopts them has to wait for
// them: also for one that was forked and not reported yet.
void supervisor_link::settle_estate() {
  const auto limit = std::chrono::steady_clock::now() + estate_limit;
  (void)lifeline_->wait_for_holders(limit);
  os::reap_marked(mark_, limit);
}

}  // namespace brigade::detail
