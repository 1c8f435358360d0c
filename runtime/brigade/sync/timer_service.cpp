#include <brigade/sync/timer_service.hpp>

#include <brigade/os/thread.hpp>

namespace brigade::detail {

timer_service::~timer_service() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void timer_service::add(timer_node& node, clock::time_point deadline) {
  bool earliest = false;
  {
    const std::lock_guard lock(mutex_);
    if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
    earliest = heap_.add(node, deadline);
  }
  if (earliest) changed_.notify_one();
}

bool timer_service::cancel(timer_node& node) noexcept {
  const std::lock_guard lock(mutex_);
  return heap_.cancel(node);
}

void timer_service::wait_idle() noexcept {
  std::unique_lock lock(mutex_);
  if (thread_.get_id() == std::this_thread::get_id()) return;
  idle_.wait(lock, [this] { return !firing_; });
}

void timer_service::run() noexcept {
  os::set_thread_name("brigade-timer");
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (heap_.empty()) {
      changed_.wait(lock);
      continue;
    }
    timer_node* const due = heap_.take_due(clock::now());
    if (due == nullptr) {
      const clock::time_point next = heap_.next();  // a copy: the heap may change while waiting
      changed_.wait_until(lock, next);
      continue;
    }
    firing_ = true;
    lock.unlock();
    due->fire(*due);
    lock.lock();
    firing_ = false;
    idle_.notify_all();
  }
}

}  // namespace brigade::detail
