// One Asio context with a run queue of our own, driven by one thread: what an event loop is.
//
// Asio waits for I/O; coroutines hop through intrusive queues that cost no allocation and no system
// call. The thread stays inside one io_context::run(), so that Asio recycles its memory. The queue
// is worked off in turns: a turn is one Asio handler that runs items for at most `slice` and then
// posts itself again if something is left, so I/O is polled between any two turns and neither side
// starves. When nothing is left there is no turn and the thread sleeps in the kernel; but where
// there are several CPUs, a few empty turns come first if another thread has brought something,
// since it may bring more, and waking this one would cost both of them more.
//
// Owned by loop_executor, which gives it the thread. Members say who may call them.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include <brigade/reactor/asio_version.hpp>

#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>

#include <brigade/reactor/loop_memory.hpp>
#include <brigade/reactor/run_queue.hpp>
#include <brigade/sync/timer_heap.hpp>
#include <brigade/work/coroutine_root.hpp>
#include <brigade/work/work_item.hpp>

namespace brigade::detail {

class dispatcher;

// What the loop is doing right now, for whoever watches it from another thread.
struct loop_activity {
  std::atomic<std::uint64_t> count{0};        // items begun
  std::atomic<const void*> running{nullptr};  // see dispatcher::running_task; null: none
  std::atomic<clock::rep> since{0};           // when, to within a few items
  std::atomic<bool> watched{false};           // whoever finds false calls reactor_host::watch
};

// Whoever owns the thread.
class reactor_host {
 public:
  // Somebody needs the loop: starts the thread unless it runs. From any thread.
  virtual void ensure_running() noexcept = 0;
  // The loop gets busy and nobody watches it. On the loop's thread.
  virtual void watch() noexcept = 0;

 protected:
  ~reactor_host() = default;
};

class reactor {
 public:
  reactor(dispatcher& owner, reactor_host& host);
  reactor(const reactor&) = delete;
  reactor& operator=(const reactor&) = delete;
  // Precondition: run() has returned or was never called.
  ~reactor();

  // Any thread; for I/O objects.
  [[nodiscard]] asio::io_context& context() noexcept { return io_; }
  [[nodiscard]] bool on_loop() const noexcept;
  [[nodiscard]] reactor_host& host() const noexcept { return host_; }

  // Queues an item; it is acted upon on the loop's thread. From any thread.
  void post(work_item& item) noexcept;
  // Resumes a suspended coroutine: at once when it lives on this loop and this is its thread.
  void resume(coroutine_root& root) noexcept;

  // What the loop's operations use again. Loop's thread only.
  [[nodiscard]] loop_memory& memory() noexcept { return memory_; }

  // Loop's thread only. A timer's callback may post, and must not run tasks.
  void add_timer(timer_node& node, clock::time_point deadline);
  bool cancel_timer(timer_node& node) noexcept { return timers_.cancel(node); }

  // From now on jobs that are still queued are discarded. Any thread.
  void discard_queued() noexcept {
    discarding_.store(true, std::memory_order_relaxed);  // nothing else is published by it
  }

  // Runs the loop on the calling thread until stop(). Once.
  void run() noexcept;
  // From any other thread, once run() is sure to be called. Everything posted before still acts.
  void stop() noexcept;

  [[nodiscard]] loop_activity& activity() noexcept { return activity_; }
  // Says that the loop's thread now runs something of that task. Within an item.
  void note_running(const void* task) noexcept {
    activity_.running.store(task, std::memory_order_relaxed);  // only compared by the watcher
  }

 private:
  // The memory of the one handler that is posted for a turn: there is never a second one.
  struct turn_memory {
    alignas(std::max_align_t) std::array<std::byte, 128> bytes;
  };
  template <class T>
  struct turn_allocator;
  struct turn_handler;

  void schedule() noexcept;
  void turn() noexcept;
  void run_items(unsigned count) noexcept;
  void fire_due(clock::time_point now) noexcept;
  void arm(clock::time_point now) noexcept;
  void begin_running(const void* what, clock::time_point now) noexcept;
  void act_on_all() noexcept;

  dispatcher& owner_;
  reactor_host& host_;
  loop_activity activity_;
  loop_inbox inbox_;
  run_queue queue_;
  timer_heap timers_;
  std::atomic<bool> discarding_{false};
  bool stopping_ = false;
  bool armed_ = false;    // alarm_ waits for armed_at_
  unsigned chunk_ = 1;    // items between two looks at the clock
  unsigned lingers_ = 0;  // empty turns that may follow
  const unsigned most_lingers_;
  clock::time_point armed_at_{};
  turn_memory turn_memory_;
  loop_memory memory_;
  asio::io_context io_{1};  // destroyed before all that its handlers refer to
  asio::steady_timer alarm_{io_};
};

// The event loop of the calling task's runtime, running. Throws std::logic_error when there is
// none.
[[nodiscard]] reactor& this_reactor();

}  // namespace brigade::detail
