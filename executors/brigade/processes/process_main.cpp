#include <brigade/processes/process_main.hpp>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <memory>
#include <mutex>
#include <stop_token>
#include <thread>
#include <utility>

#include <brigade/codec/codec.hpp>
#include <brigade/os/cpu.hpp>
#include <brigade/os/memfd.hpp>
#include <brigade/os/process.hpp>
#include <brigade/os/signal.hpp>
#include <brigade/os/thread.hpp>
#include <brigade/processes/failure.hpp>
#include <brigade/processes/output_reader.hpp>
#include <brigade/processes/process_house.hpp>

namespace brigade {
namespace detail {
namespace {

constexpr std::size_t most_failure_bytes = std::size_t{16} << 20;

struct identity {
  std::mutex mutex;
  std::optional<process_info> self;
  std::optional<process_info> host;
};

identity& this_identity() {
  static identity known;
  return known;
}

// What the call finds around itself.
class process_surroundings final : public remote_host {
 public:
  explicit process_surroundings(make_local_runtime make) noexcept : make_(make) {}

  dispatcher& local_runtime() override {
    const std::lock_guard lock(mutex_);
    if (!made_) made_ = make_();
    return made_->target();
  }

  // SIGTERM becomes a request to stop, for who listens to it.
  std::stop_token stop() override {
    os::block_signal(SIGTERM);  // here, and so in the threads that are made from now on
    std::stop_source source;
    std::thread([source]() mutable {
      os::set_thread_name("brigade-term");
      os::wait_for_signal(SIGTERM);
      source.request_stop();
    }).detach();  // ends with the process
    return source.get_token();
  }

  void begin() override {}

 private:
  make_local_runtime make_;
  std::mutex mutex_;
  std::unique_ptr<detail::local_runtime> made_;
};

// Where the free functions find it: a process is one for all its life.
process_surroundings* surroundings_of_this_process = nullptr;

// As the error hook of a runtime does by default: nobody else may ever look at it.
void say(const std::string& name, const std::exception_ptr& failure) noexcept {
  std::fprintf(stderr, "brigade: process '%s' ended with an exception: %s\n", name.c_str(),
               text_of(failure).c_str());
}

process_call receive_call(int file) {
  const os::mapping mapped(file, os::sealed_memfd_bytes(file), os::mapping::access::read_only);
  return codec::from_bytes<process_call>(mapped.bytes());
}

// Returns the exit code.
int run(const process_call& call, const os::unique_fd& failure_file, make_local_runtime make) {
  static process_surroundings surroundings(make);
  surroundings_of_this_process = &surroundings;
  set_dispatcher_provider(
      []() -> dispatcher& { return surroundings_of_this_process->local_runtime(); });
  const int self = os::process_id();
  try {
    portable_call::run(call.body, surroundings);
    return 0;
  } catch (...) {
    if (os::process_id() != self) return 1;
    const std::exception_ptr failure = std::current_exception();
    say(call.self.name, failure);
    os::write_full(failure_file.get(), encode_failure(failure));
    return 1;
  }
}

}  // namespace

void run_process(inheritance inherited, make_local_runtime make) {
  const os::lifeline_hold hold = settle_under_supervisor(inherited);
  int code = 1;
  {
    const os::unique_fd failure_file = std::move(inherited.descriptors.at(1));
    const process_call call = receive_call(inherited.descriptors.at(0).get());
    if (!call.output_mark.empty()) {
      const output_marks marks(call.output_mark, inherited.descriptors.at(2).get(),
                               inherited.descriptors.at(3).get());
      marks.begin(0, call.self.name);
    }
    inherited.descriptors.clear();
    enter_process(call.self, call.host);
    allow_children(true);
    os::set_thread_name(call.self.name);
    std::srand(call.seed);
    code = run(call, failure_file, make);
  }
  std::exit(code);
}

std::exception_ptr read_failure(int file, const task_identity& about) {
  return decode_failure(os::read_from_start(file, most_failure_bytes), about);
}

void enter_process(process_info self, process_info host) {
  identity& known = this_identity();
  const std::lock_guard lock(known.mutex);
  known.self = std::move(self);
  known.host = std::move(host);
}

}  // namespace detail

process_info current_process() {
  detail::identity& known = detail::this_identity();
  const std::lock_guard lock(known.mutex);
  if (!known.self) known.self = process_info{os::program_name(), 0};
  known.self->pid = os::process_id();  // now: it may have been forked
  return *known.self;
}

std::optional<process_info> parent_process() {
  detail::identity& known = detail::this_identity();
  const std::lock_guard lock(known.mutex);
  return known.host;
}

std::vector<process_info> active_children() {
  std::vector<process_info> found;
  for (const auto& house : detail::process_house::all()) {
    std::ranges::move(house->alive(), std::back_inserter(found));
  }
  return found;
}

unsigned cpu_count() { return os::usable_cpus(); }

}  // namespace brigade
