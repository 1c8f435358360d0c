#include <brigade/loop/loop_executor.hpp>

#include <algorithm>
#include <exception>
#include <functional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

#include <brigade/base/error.hpp>
#include <brigade/os/cpu.hpp>
#include <brigade/os/process.hpp>
#include <brigade/os/signal.hpp>
#include <brigade/os/thread.hpp>
#include <brigade/work/context.hpp>
#include <brigade/work/coroutine_root.hpp>
#include <brigade/work/dispatcher.hpp>
#include <brigade/work/job_state.hpp>

namespace brigade::detail {
namespace {

// A cancellation on its way to the loop's thread. It keeps the job, and so the root, alive.
struct marshalled_cancel : work_item {
  job_ref<job_state> job;
  coroutine_root* root = nullptr;
  executor* home = nullptr;
};

void call_hook(const hooks& to, const std::function<void(const worker_info&)>& hook,
               const worker_info& info) noexcept {
  if (!hook) return;
  try {
    hook(info);
  } catch (...) {
    report_error(to, {"worker hook", 0, executor_kind::loop}, std::current_exception());
  }
}

}  // namespace

loop_executor::loop_executor(loop_options options, dispatcher& owner)
    : executor(executor_kind::loop, owner),
      options_(std::move(options)),
      reactor_(owner, *this),
      watch_(owner, reactor_.activity(), options_.blocked_after) {
  if (options_.cpu) {
    const auto allowed = os::allowed_cpus();
    if (std::find(allowed.begin(), allowed.end(), *options_.cpu) == allowed.end()) {
      throw std::invalid_argument("brigade: the event loop cannot run on CPU " +
                                  std::to_string(*options_.cpu) +
                                  ", which this process may not use; see taskset -p");
    }
  }
  owner.set_reactor(&reactor_);
}

loop_executor::~loop_executor() { join(); }

void loop_executor::post(work_item& item) noexcept {
  // acquire: pairs with start(); usually true, and then all there is to do.
  if (state_.load(std::memory_order_acquire) != state::running) {
    try {
      start();
    } catch (...) {
      if (item.is_job) {
        refuse(item);
        return;
      }
      // A resumption must not get lost: it stays in the inbox, and the next item tries again.
    }
  }
  reactor_.post(item);
}

void loop_executor::refuse(work_item& item) noexcept {
  auto& job = static_cast<job_state&>(item);
  std::string reason = "unknown";
  try {
    throw;
  } catch (const std::exception& error) {
    reason = error.what();
  } catch (...) {
  }
  job.discard(std::make_exception_ptr(worker_start_failed(
      describe(job.identity()) + " cannot run: the event loop's thread did not start (" + reason +
          "); raise the limit on threads (ulimit -u, cgroup pids.max)",
      job.identity())));
  job.release();
}

void loop_executor::ensure_running() noexcept {
  if (state_.load(std::memory_order_acquire) == state::running) return;  // pairs with start()
  try {
    start();
  } catch (...) {
    report_error(owner().callbacks(), {"event loop", 0, executor_kind::loop},
                 std::current_exception());
  }
}

void loop_executor::start() {
  const std::lock_guard lock(mutex_);
  if (state_.load(std::memory_order_relaxed) != state::fresh) return;  // under the mutex
  const os::blocked_signals program_threads_get_them;
  thread_ = std::thread([this] { run(); });
  state_.store(state::running, std::memory_order_release);  // pairs with post()
  owner().count_worker(kind(), false);
}

void loop_executor::run() noexcept {
  const worker_scope scope(*this, 0);
  os::set_thread_name(options_.name);
  worker_info info{kind(), 0, options_.name, os::process_id(), os::thread_id()};
  {
    const std::lock_guard lock(mutex_);
    info_ = info;
  }
  const hooks& to = owner().callbacks();
  try {
    if (options_.cpu) os::pin_this_thread(*options_.cpu);
  } catch (...) {
    report_error(to, {"event loop", 0, kind()}, std::current_exception());  // it goes on unpinned
  }
  call_hook(to, to.on_worker_start, info);
  reactor_.run();
  call_hook(to, to.on_worker_stop, info);
}

void loop_executor::join() noexcept {
  const std::lock_guard joining(joining_);  // whoever comes second finds all ended, too
  {
    const std::lock_guard lock(mutex_);
    // relaxed: under the mutex.
    if (state_.exchange(state::joined, std::memory_order_relaxed) != state::running) return;
  }
  reactor_.stop();
  thread_.join();
  watch_.stop();
  const std::lock_guard lock(mutex_);
  info_ = {};
}

void loop_executor::cancel_wait(coroutine_root& root) noexcept {
  if (on_worker()) {
    executor::cancel_wait(root);
    return;
  }
  auto* const order = new marshalled_cancel;  // out of memory ends the program, as anywhere here
  order->job = job_ref<job_state>::share(root.job());
  order->root = &root;
  order->home = this;
  order->level = priority::high;
  order->act = [](work_item& item, item_action) noexcept {
    auto& order = static_cast<marshalled_cancel&>(item);
    if (!order.root->cancel_here(*order.home)) order.root->cancel();
    delete &order;
  };
  reactor_.post(*order);
}

void loop_executor::add_timer(timer_node& node, clock::time_point deadline) {
  reactor_.add_timer(node, deadline);
}

bool loop_executor::cancel_timer(timer_node& node) noexcept {
  return reactor_.cancel_timer(node);
}

unsigned loop_executor::worker_count() const noexcept { return 1; }

std::vector<worker_info> loop_executor::workers() const {
  const std::lock_guard lock(mutex_);
  if (info_.tid == 0) return {};
  return {info_};
}

}  // namespace brigade::detail
