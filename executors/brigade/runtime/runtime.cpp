#include <brigade/runtime/runtime.hpp>

#include <array>
#include <stdexcept>
#include <string>
#include <utility>

#include <brigade/loop/loop_executor.hpp>
#include <brigade/processes/nested_executor.hpp>
#include <brigade/processes/processes_executor.hpp>
#include <brigade/processes/program.hpp>
#include <brigade/threads/threads_executor.hpp>
#include <brigade/work/context.hpp>

namespace brigade {
namespace detail {

struct runtime_parts {
  runtime_parts(runtime_options options, bool in_worker_process)
      : dispatch(std::move(options.hooks),
                 std::array<queue_policy, all_executors.size()>{
                     queue_policy{options.loop.max_pending, options.loop.when_full},
                     queue_policy{options.threads.max_pending, options.threads.when_full},
                     queue_policy{options.processes.max_pending, options.processes.when_full}}),
        loop(std::move(options.loop), dispatch),
        threads(std::move(options.threads), dispatch) {
    if (in_worker_process) {
      processes = std::make_unique<nested_processes_executor>(dispatch);
    } else {
      processes = std::make_unique<processes_executor>(std::move(options.processes), dispatch);
    }
    dispatch.attach(loop);
    dispatch.attach(threads);
    dispatch.attach(*processes);
  }

  dispatcher dispatch;
  loop_executor loop;
  threads_executor threads;
  std::unique_ptr<executor> processes;
};

namespace {

class runtime_in_worker final : public local_runtime {
 public:
  runtime_in_worker() : runtime_(worker_runtime::make()) {}
  [[nodiscard]] dispatcher& target() noexcept override { return runtime_->target(); }

 private:
  std::unique_ptr<runtime> runtime_;
};

// A supervisor that is a fork of this process needs it without any call of init.
[[maybe_unused]] const bool maker_is_known = [] {
  set_local_runtime_maker(&worker_runtime::make_for_worker);
  return true;
}();

}  // namespace

std::unique_ptr<local_runtime> worker_runtime::make_for_worker() {
  return std::make_unique<runtime_in_worker>();
}

runtime_core::runtime_core(runtime_options options, bool in_worker_process)
    : parts(std::make_unique<runtime_parts>(std::move(options), in_worker_process)) {}

runtime_core::~runtime_core() = default;

std::unique_ptr<runtime> worker_runtime::make() {
  return std::unique_ptr<runtime>(new runtime(runtime::in_worker_process{}));
}

}  // namespace detail

runtime::runtime(runtime_options options)
    : runtime_core(std::move(options), detail::is_worker_process()), submitter(parts->dispatch) {
  parts->dispatch.set_facade(this);
}

runtime::runtime(in_worker_process)
    : runtime_core(runtime_options{}, true), submitter(parts->dispatch) {
  parts->dispatch.set_facade(this);
}

runtime::~runtime() {
  parts->dispatch.before_end();
  shutdown(shutdown_mode::drain);
}

bool runtime::shutdown(shutdown_mode mode, std::optional<std::chrono::nanoseconds> limit) {
  if (!parts->dispatch.shutdown(mode, limit)) return false;
  end_workers();
  return true;
}

void runtime::end_workers() noexcept {
  // The loop last: operations that other executors' tasks started on it have ended with them.
  parts->processes->join();
  parts->threads.join();
  parts->loop.join();
}

std::vector<worker_info> runtime::workers() const {
  std::vector<worker_info> all;
  for (const executor_kind kind : all_executors) {
    for (worker_info& each : parts->dispatch.at(kind).workers())
      all.push_back(std::move(each));
  }
  return all;
}

unsigned runtime::worker_count(executor_kind of) const noexcept {
  return parts->dispatch.at(of).worker_count();
}

void runtime::resize(executor_kind of, unsigned workers) {
  if (parts->dispatch.at(of).resize(workers)) return;
  throw std::invalid_argument("the number of workers of " + std::string(to_string(of)) +
                              " is fixed; that of threads and of processes can be changed");
}

executor_stats runtime::stats(executor_kind of) const noexcept { return parts->dispatch.stats(of); }

runtime& current_runtime() { return *detail::this_dispatcher().facade(); }

}  // namespace brigade
