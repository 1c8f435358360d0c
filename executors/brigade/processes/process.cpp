#include <brigade/processes/process.hpp>

#include <atomic>
#include <csignal>
#include <mutex>
#include <random>
#include <stdexcept>
#include <utility>
#include <vector>

#include <brigade/base/error.hpp>
#include <brigade/codec/codec.hpp>
#include <brigade/os/memfd.hpp>
#include <brigade/os/poll.hpp>
#include <brigade/processes/output_reader.hpp>
#include <brigade/processes/process_house.hpp>
#include <brigade/processes/process_main.hpp>
#include <brigade/processes/worker_life.hpp>
#include <brigade/work/context.hpp>
#include <brigade/work/dispatcher.hpp>

namespace brigade {
namespace {

std::string next_name() {
  static std::atomic<unsigned> last{0};
  return "process-" + std::to_string(last.fetch_add(1, std::memory_order_relaxed) + 1);
}

void refuse_where_impossible(const process_options& options) {
  const bool own_program = options.worker_program.empty() && options.start != start_method::fork;
  const std::string objection = detail::objection_to_this_program(
      own_program ? detail::needs_init::yes : detail::needs_init::no);
  if (objection.empty()) return;
  const task_identity about{options.name, 0, {}};
  const std::string text = "process '" + options.name + "' cannot be started: " + objection;
  if (detail::is_worker_process()) throw would_deadlock(text, about);
  throw worker_start_failed(text, about);
}

}  // namespace

struct process::state {
  process_options options;
  portable_call body;

  // From start() to close(). The child has been started when it is there.
  std::shared_ptr<detail::process_house> house;
  const detail::process_house::inhabitant* child = nullptr;
  os::unique_fd failure_file;
  bool was_started = false;
  int pid = 0;

  // Of the end, as soon as somebody has asked.
  std::mutex mutex;
  std::optional<os::process_end> end;
  std::exception_ptr failure;

  // While the process writes; gone when all it wrote has been handed on.
  std::mutex output_mutex;
  std::unique_ptr<detail::output_reader> output;
  const hooks callbacks = {};  // what on_output throws is told on stderr

  [[nodiscard]] bool ended_by(std::optional<os::deadline> when) {
    if (child != nullptr && !os::wait_readable(child->pidfd.get(), when)) return false;
    const std::lock_guard lock(mutex);
    if (!end) {
      end = house->end_of(*child);
      failure = detail::read_failure(failure_file.get(), {options.name, 0, {}});
    }
    return true;
  }

  [[nodiscard]] bool joined_by(std::optional<os::deadline> when) {
    if (!ended_by(when)) return false;
    const std::lock_guard lock(output_mutex);  // whoever comes second has all lines too
    output.reset();
    return true;
  }

  void signal(int number) noexcept {
    if (child == nullptr) return;
    try {
      (void)os::send_signal(child->pidfd, number);
    } catch (const std::system_error&) {  // it made itself somebody else's: not ours to end
    }
  }

  void start() {
    const bool by_fork = options.start == start_method::fork;
    // Before there is a thread that reads its output.
    auto home = by_fork ? detail::process_house::make_forked()
                        : detail::process_house::enter(options.worker_program);
    const auto bytes = body.bytes();
    detail::process_call call{{options.name, 0},
                              current_process(),
                              std::random_device{}(),
                              {bytes.begin(), bytes.end()},
                              {}};
    std::unique_ptr<detail::output_reader> reader;
    detail::output_reader::ends written;
    if (options.on_output) {
      call.output_mark = detail::make_output_mark();
      worker_info self;
      self.executor = executor_kind::processes;
      self.name = options.name;
      self.start_method = to_string(options.start);
      reader = std::make_unique<detail::output_reader>(options.on_output, callbacks);
      written = reader->open(self, call.output_mark);
    }
    const os::unique_fd call_file =
        os::make_sealed_memfd("brigade-call", codec::to_bytes(std::as_const(call)));
    failure_file = os::make_memfd("brigade-failure");
    std::vector<int> descriptors{call_file.get(), failure_file.get()};
    if (reader) descriptors.insert(descriptors.end(), {written.out.get(), written.err.get()});
    detail::start_worker order;
    order.what = detail::role::process;
    order.how = options.start;
    order.environment = detail::variables_of(options.environment);
    child = home->start(std::move(order), descriptors, options.name);
    house = std::move(home);
    output = std::move(reader);
    pid = child->info.pid;
    was_started = true;
  }

  void let_go() noexcept {
    if (child != nullptr) house->forget(*child);
    child = nullptr;
    output.reset();
    failure_file.reset();
    house.reset();
  }
};

process::process() noexcept = default;
process::process(process&&) noexcept = default;

process::process(process_options options, portable_call body) : state_(std::make_unique<state>()) {
  if (options.start == start_method::fork && !options.worker_program.empty()) {
    throw std::invalid_argument(
        "process_options: a worker_program cannot be forked from this one; take forkserver or "
        "spawn");
  }
  if (options.name.empty()) options.name = next_name();
  state_->options = std::move(options);
  state_->body = std::move(body);
}

process& process::operator=(process&& other) noexcept {
  if (this == &other) return *this;
  process ended(std::move(*this));
  state_ = std::move(other.state_);
  return *this;
}

process::~process() {
  if (state_ == nullptr || state_->child == nullptr) return;
  if (state_->options.daemon) {
    terminate();
    if (!join_for(state_->options.kill_grace)) kill();
  }
  join();
  state_->let_go();
}

process::state& process::started() const {
  if (state_ == nullptr || !state_->was_started) {
    throw std::logic_error("brigade::process: it has not been started");
  }
  return *state_;
}

void process::start() {
  if (state_ == nullptr || !state_->body) {
    throw std::logic_error("brigade::process: there is nothing to start");
  }
  if (state_->was_started) {
    throw std::logic_error("brigade::process '" + state_->options.name +
                           "': it can be started only once; make another one");
  }
  refuse_where_impossible(state_->options);
  state_->start();
}

void process::join() { (void)started().joined_by(std::nullopt); }

bool process::join_for(std::chrono::nanoseconds limit) {
  const auto now = std::chrono::steady_clock::now();
  const bool for_ever = limit > os::deadline::max() - now;
  return started().joined_by(for_ever ? std::nullopt : std::optional(now + limit));
}

bool process::join_until(os::deadline when) { return started().joined_by(when); }

void process::terminate() noexcept {
  if (state_ != nullptr) state_->signal(SIGTERM);
}

void process::kill() noexcept {
  if (state_ != nullptr) state_->signal(SIGKILL);
}

bool process::is_alive() const noexcept {
  return state_ != nullptr && state_->child != nullptr &&
         !os::wait_readable(state_->child->pidfd.get(), os::deadline{});
}

std::optional<int> process::exit_code() const {
  if (state_ == nullptr || !state_->was_started || is_alive()) return std::nullopt;
  (void)state_->ended_by(os::deadline{});
  const std::lock_guard lock(state_->mutex);
  if (state_->end->exit_code) return state_->end->exit_code;
  return -state_->end->signal.value_or(SIGKILL);
}

std::exception_ptr process::failure() const {
  if (!exit_code()) return nullptr;
  const std::lock_guard lock(state_->mutex);
  return state_->failure;
}

std::optional<int> process::pid() const noexcept {
  if (state_ == nullptr || !state_->was_started) return std::nullopt;
  return state_->pid;
}

std::string process::name() const {
  return state_ == nullptr ? std::string() : state_->options.name;
}

bool process::daemon() const noexcept { return state_ != nullptr && state_->options.daemon; }

int process::sentinel() const {
  const state& self = started();
  if (self.child == nullptr) throw std::logic_error("brigade::process: it has been closed");
  return self.child->pidfd.get();
}

void process::close() {
  if (state_ == nullptr) return;
  if (is_alive()) {
    throw std::logic_error("brigade::process '" + state_->options.name +
                           "' still runs; join() or kill() it before close()");
  }
  if (state_->child != nullptr) (void)state_->joined_by(os::deadline{});
  state_->let_go();
}

}  // namespace brigade
