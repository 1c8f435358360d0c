#include <brigade/processes/supervisor.hpp>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <memory>
#include <stdexcept>
#include <utility>

#include <brigade/codec/codec.hpp>
#include <brigade/os/memfd.hpp>
#include <brigade/os/proc.hpp>
#include <brigade/os/signal.hpp>
#include <brigade/os/socket.hpp>
#include <brigade/os/spawn.hpp>
#include <brigade/os/thread.hpp>
#include <brigade/processes/failure.hpp>
#include <brigade/work/portable_call.hpp>

namespace brigade::detail {
namespace {

void check(int code, const char* call) {
  if (code < 0) throw std::runtime_error(std::string(call) + ": " + uv_strerror(code));
}

// A preload has no runtime: its threads would keep the supervisor from forking.
class preload_surroundings final : public remote_host {
 public:
  dispatcher& local_runtime() override {
    throw std::logic_error("a preload has no runtime: do that in an initializer");
  }
  std::stop_token stop() override { return {}; }
  void begin() override {}
};

void run_preload(int file) {
  const os::mapping bytes(file, os::sealed_memfd_bytes(file), os::mapping::access::read_only);
  preload_surroundings nothing;
  portable_call::run(bytes.bytes(), nothing);
}

}  // namespace

supervisor::supervisor(os::unique_fd link, os::unique_fd lifeline, const part& played)
    : link_(std::move(link)), lifeline_(std::move(lifeline)), how_(played.how) {
  // Where it says so, the host's thread that started this process lives as long as its pool does.
  if (played.parent != 0 && !os::set_parent_death_signal(SIGKILL, played.parent)) {
    throw std::runtime_error("brigade: the host of this supervisor has gone");
  }
  hold_.emplace(lifeline_.get());
  os::set_thread_name("brigade-super");
  // What a terminal sends is the host's business.
  for (const int signal : {SIGINT, SIGQUIT, SIGHUP})
    os::ignore_signal(signal);

  check(uv_loop_init(&loop_), "uv_loop_init");
  check(uv_poll_init(&loop_, &link_watch_, link_.get()), "uv_poll_init");
  check(uv_timer_init(&loop_, &kill_timer_), "uv_timer_init");
  link_watch_.data = kill_timer_.data = this;
  const auto on_link = [](uv_poll_t* handle, int, int) {
    static_cast<supervisor*>(handle->data)->on_link();
  };
  check(uv_poll_start(&link_watch_, UV_READABLE, on_link), "uv_poll_start");
}

supervisor::~supervisor() {
  while (!children_.empty())
    forget(*children_.begin()->second);  // kills and reaps it
  const auto closed = [](uv_handle_t*) {};
  uv_close(reinterpret_cast<uv_handle_t*>(&link_watch_), closed);
  uv_close(reinterpret_cast<uv_handle_t*>(&kill_timer_), closed);
  uv_run(&loop_, UV_RUN_DEFAULT);
  uv_loop_close(&loop_);
}

void supervisor::greet(const os::unique_fd& preload) {
  hello greeting;
  if (preload) greeting.failure = failure_of([&] { run_preload(preload.get()); });
  greeting.modules = own_modules();  // with those that the preload has loaded
  while (encode_hello(greeting).size() > most_packet_bytes) {
    greeting.failure.resize(greeting.failure.size() / 2);
    greeting.modules.resize(greeting.modules.size() / 2);
  }
  try {
    os::send_full(link_.get(), encode_hello(greeting));
  } catch (const std::system_error&) {
    host_is_gone_ = true;  // it needs no workers any more
  }
}

std::optional<inheritance> supervisor::run(os::unique_fd preload) {
  greet(preload);
  preload.reset();
  if (host_is_gone_) return std::nullopt;
  for (;;) {
    uv_run(&loop_, UV_RUN_DEFAULT);  // until uv_stop
    // Outside of the loop: a forked child returns from here, with nothing of it on its stack.
    while (!starts_.empty() && !host_is_gone_) {
      pending_start next = std::move(starts_.front());
      starts_.pop_front();
      if (auto child = start(std::move(next))) return child;
    }
    if (host_is_gone_) break;
  }
  return std::nullopt;
}

// --- the link ------------------------------------------------------------------------------------

void supervisor::on_link() {
  std::vector<std::byte> room(most_packet_bytes);
  os::received_message message;
  try {
    message = os::receive_with_descriptors(link_.get(), room);
  } catch (const std::system_error&) {
    message = {};  // ECONNRESET: the host died with something unread
  }
  if (message.bytes == 0) {
    host_is_gone_ = true;
    uv_stop(&loop_);
    return;
  }
  obey(codec::from_bytes<supervisor_order>(std::span(room).first(message.bytes)),
       std::move(message.descriptors));
}

void supervisor::obey(supervisor_order order, std::vector<os::unique_fd> descriptors) {
  if (const auto* ending = std::get_if<end_worker>(&order)) {
    end(*ending);
  } else {
    starts_.push_back({std::get<start_worker>(std::move(order)), std::move(descriptors)});
    uv_stop(&loop_);
  }
}

void supervisor::report(const supervisor_report& message, int descriptor) {
  const std::vector<std::byte> bytes = codec::to_bytes(message);
  const std::array<int, 1> descriptors{descriptor};
  try {
    os::send_with_descriptors(link_.get(), bytes,
                              std::span(descriptors).first(descriptor < 0 ? 0 : 1));
  } catch (const std::system_error&) {
    host_is_gone_ = true;
    uv_stop(&loop_);
  }
}

// --- ends ----------------------------------------------------------------------------------------

void supervisor::end(const end_worker& order) {
  const auto starting = std::ranges::find_if(
      starts_, [&](const pending_start& each) { return each.order.worker == order.worker; });
  if (starting != starts_.end()) {
    starts_.erase(starting);
    report(worker_ended{order.worker, std::nullopt, std::nullopt});
    return;
  }
  const auto found = children_.find(order.worker);
  if (found == children_.end()) return;  // it has ended, and the host is being told
  child& condemned = *found->second;
  if (order.terminate) condemned.process.kill(SIGTERM);
  const auto kill_at = clock::now() + std::chrono::milliseconds(order.grace_ms);
  if (!condemned.kill_at || kill_at < *condemned.kill_at) condemned.kill_at = kill_at;
  kill_overdue();
}

void supervisor::kill_overdue() {
  const auto now = clock::now();
  for (const auto& [worker, each] : children_) {
    if (!each->kill_at || *each->kill_at > now) continue;
    each->process.kill(SIGKILL);
    each->kill_at.reset();
  }
  set_timer();
}

void supervisor::set_timer() {
  std::optional<clock::time_point> next;
  for (const auto& [worker, each] : children_) {
    if (each->kill_at && (!next || *each->kill_at < *next)) next = each->kill_at;
  }
  if (!next) {
    uv_timer_stop(&kill_timer_);
    return;
  }
  const auto rest = std::chrono::ceil<std::chrono::milliseconds>(*next - clock::now());
  uv_update_time(&loop_);
  uv_timer_start(
      &kill_timer_,
      [](uv_timer_t* handle) { static_cast<supervisor*>(handle->data)->kill_overdue(); },
      static_cast<std::uint64_t>(std::max<std::int64_t>(rest.count(), 0)), 0);
}

void supervisor::reap(child& ended) {
  const auto how = os::try_wait_for_child(ended.process.pid());
  if (!how) return;
  (void)ended.process.release();
  report(worker_ended{ended.worker, how->exit_code, how->signal});
  forget(ended);
  set_timer();
}

void supervisor::forget(child& known) noexcept {
  children_.erase(known.worker);
  uv_close(reinterpret_cast<uv_handle_t*>(&known.watch),
           [](uv_handle_t* handle) { delete static_cast<child*>(handle->data); });
  known.process = {};
}

// --- starts --------------------------------------------------------------------------------------

bool supervisor::may_fork(const start_worker& order) const {
  return order.how.value_or(how_) != start_method::spawn && os::has_one_thread();
}

std::optional<inheritance> supervisor::start(pending_start wanted) {
  const std::uint64_t worker = wanted.order.worker;
  try {
    if (may_fork(wanted.order)) return start_by_fork(std::move(wanted));
    start_by_exec(std::move(wanted));
  } catch (const std::exception& failure) {
    report(worker_not_started{worker, failure.what()});
  }
  return std::nullopt;
}

std::optional<inheritance> supervisor::start_by_fork(pending_start wanted) {
  std::fflush(nullptr);  // what is buffered would be written by both
  const pid_t self = os::process_id();
  const pid_t pid = os::fork_child();
  if (pid == 0) return become_child(std::move(wanted), self);
  const bool of_host = how_ == start_method::fork;
  adopt(wanted.order.worker, os::child_process(pid),
        of_host ? start_method::fork : start_method::forkserver);
  return std::nullopt;
}

inheritance supervisor::become_child(pending_start wanted, pid_t parent) noexcept {
  check(uv_loop_fork(&loop_), "uv_loop_fork");
  for (const auto& [worker, sibling] : children_)
    (void)sibling->process.release();
  starts_.clear();
  for (const std::string& each : wanted.order.environment)
    os::set_variable(each);
  inheritance inherited;
  inherited.what = wanted.order.what;
  inherited.descriptors = std::move(wanted.descriptors);
  inherited.lifeline = std::move(lifeline_);
  inherited.parent = parent;
  inherited.is_fork = true;
  return inherited;
}

void supervisor::start_by_exec(pending_start wanted) {
  const std::string objection = objection_to_this_program();
  if (how_ == start_method::fork && !objection.empty()) {
    throw std::runtime_error("the preload has started threads, so workers cannot be forked, and " +
                             objection);
  }
  part played;
  played.what = wanted.order.what;
  played.parent = os::process_id();
  played.descriptors = static_cast<int>(wanted.descriptors.size());
  os::spawn_options options;
  options.arguments = {name_of_this_program(), to_argument(played)};
  if (!wanted.order.environment.empty()) {
    options.environment = os::environment_with(wanted.order.environment);
  }
  options.descriptors = {{lifeline_.get(), lifeline_number}};
  int number = first_number;
  for (const os::unique_fd& each : wanted.descriptors) {
    options.descriptors.push_back({each.get(), number++});
  }
  for (const int standard : {1, 2}) {
    if (os::is_open(standard)) options.descriptors.push_back({standard, standard});
  }
  adopt(wanted.order.worker, os::spawn(options), start_method::spawn);
}

void supervisor::adopt(std::uint64_t worker, os::child_process process, start_method how) {
  auto adopted = std::make_unique<child>();
  adopted->owner = this;
  adopted->worker = worker;
  adopted->process = std::move(process);
  adopted->watch.data = adopted.get();
  check(uv_poll_init(&loop_, &adopted->watch, adopted->process.pidfd()), "uv_poll_init");
  child& known = *children_.emplace(worker, adopted.release()).first->second;
  const auto on_end = [](uv_poll_t* handle, int, int) {
    child& ended = *static_cast<child*>(handle->data);
    ended.owner->reap(ended);
  };
  check(uv_poll_start(&known.watch, UV_READABLE, on_end), "uv_poll_start");
  report(worker_started{worker, known.process.pid(), how}, known.process.pidfd());
}

}  // namespace brigade::detail
