#include <brigade/processes/stop_listener.hpp>

#include <utility>

#include <brigade/os/signal.hpp>
#include <brigade/os/thread.hpp>

namespace brigade::detail {

stop_listener::~stop_listener() {
  if (!thread_.joinable()) return;
  ending_.store(true, std::memory_order_relaxed);  // published by the ring
  lane_->ring();
  thread_.join();
}

std::stop_token stop_listener::begin_call(std::uint64_t call) {
  std::stop_token token;
  {
    const std::lock_guard lock(mutex_);
    call_ = call;
    source_ = std::stop_source();
    token = source_.get_token();
  }
  if (!thread_.joinable()) {
    const os::blocked_signals blocked;  // signals are for the thread that runs tasks
    thread_ = std::thread([this] { listen(); });
  }
  stop_if_asked();  // the request may have come before the call
  return token;
}

void stop_listener::end_call() noexcept {
  std::stop_source ended(std::nostopstate);
  const std::lock_guard lock(mutex_);
  call_ = 0;
  std::swap(ended, source_);
}

void stop_listener::stop_if_asked() {
  std::stop_source source(std::nostopstate);
  {
    const std::lock_guard lock(mutex_);
    if (call_ != 0 && lane_->stop_requested(call_)) source = source_;
  }
  source.request_stop();  // outside: it runs the task's callbacks
}

void stop_listener::listen() noexcept {
  os::set_thread_name("brigade-stop");
  for (;;) {
    const std::uint32_t heard = lane_->rings();
    if (ending_.load(std::memory_order_relaxed)) return;  // after rings(), which acquires
    stop_if_asked();
    lane_->wait_for_ring(heard);
  }
}

}  // namespace brigade::detail
