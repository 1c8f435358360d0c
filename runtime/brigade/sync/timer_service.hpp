// One thread that fires timers: the deadlines of tasks, and the sleeps of coroutines that do not
// live on an event loop. It exists so that a deadline passes even while an event loop is blocked.
//
// The thread starts with the first timer and ends with the service. Thread-safe. A callback runs on
// the service's thread with no lock held; it must be short and must not block.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include <brigade/sync/timer_heap.hpp>

namespace brigade::detail {

class timer_service {
 public:
  timer_service() = default;
  timer_service(const timer_service&) = delete;
  timer_service& operator=(const timer_service&) = delete;
  // Joins the thread. Precondition: no timer is pending.
  ~timer_service();

  // Throws std::system_error when the thread cannot be started, std::bad_alloc.
  void add(timer_node& node, clock::time_point deadline);

  // Returns true when the node will not fire; false when it has fired or is firing right now, in
  // which case its callback still uses the node.
  bool cancel(timer_node& node) noexcept;

  // Waits until the callback that runs now, if any, has returned. In a callback: does nothing.
  void wait_idle() noexcept;

 private:
  void run() noexcept;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::condition_variable idle_;
  timer_heap heap_;
  bool stopping_ = false;
  bool firing_ = false;
  std::thread thread_;
};

}  // namespace brigade::detail
