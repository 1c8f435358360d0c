// Notices that a task keeps the event loop from turning, also when it does so forever.
//
// It looks at the loop from the runtime's timer thread: every `limit` while the loop is in use,
// never while it is idle (the last look finds it idle and is not repeated; the loop's next turn
// starts anew). What has kept the loop for `limit` is reported, once; time for which the loop's
// thread was ready and got no CPU is not counted, since no task is to blame for it. The loop pays a
// few stores for it, no lock and no system call, except when it wakes after a pause: once in
// `limit` at most.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>

#include <brigade/os/proc.hpp>
#include <brigade/reactor/reactor.hpp>
#include <brigade/sync/timer_heap.hpp>

namespace brigade::detail {

class dispatcher;

class blocked_watch {
 public:
  // A limit of zero watches nothing.
  blocked_watch(dispatcher& owner, loop_activity& activity, std::chrono::milliseconds limit);
  blocked_watch(const blocked_watch&) = delete;
  blocked_watch& operator=(const blocked_watch&) = delete;
  // Precondition: stop() was called, or start() never.
  ~blocked_watch() = default;

  // The loop gets busy. On the loop's thread.
  void start() noexcept;
  // No look is going on or will come, once this has returned. The loop must not run any more.
  void stop() noexcept;

 private:
  struct look : timer_node {
    blocked_watch* self = nullptr;
  };

  void look_now() noexcept;
  // What is to be reported, and when to look again; under the mutex.
  [[nodiscard]] bool inspect(clock::time_point now, clock::time_point& again) noexcept;
  // How much of a time that ends now, and began after the last look, a task is to blame for.
  [[nodiscard]] clock::duration blame(clock::duration passed) noexcept;
  void report(clock::time_point now) noexcept;
  void look_at(clock::time_point when) noexcept;

  dispatcher& owner_;
  loop_activity& activity_;
  const std::chrono::milliseconds limit_;
  std::mutex mutex_;  // held while a look goes on; guards what follows
  look look_;
  bool pending_ = false;  // a look will come, or waits for the mutex
  bool stopped_ = false;
  int thread_ = 0;  // the loop's
  std::condition_variable looked_;
  std::uint64_t seen_ = 0;      // the item that ran at the last look
  std::uint64_t reported_ = 0;  // the item that was reported last
  clock::time_point seen_since_{};
  clock::duration blamed_{};  // how much of the time since then counts
  clock::time_point last_look_{};
  os::thread_schedule schedule_at_last_look_{};
};

}  // namespace brigade::detail
