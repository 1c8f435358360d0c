// The work-stealing thread pool behind brigade::threads.
//
// A task that a worker submits goes to that worker's own deque (newest first; idle workers steal
// the oldest); everything else goes to one inbox with priority levels. Threads sleep when there is
// nothing to do and are woken one at a time, by whoever makes work visible while nobody searches.
// A worker that blocks in get() or wait() helps the task it waits for, and a spare thread stands in
// for it. Owned by the runtime, which outlives every job; thread-safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <brigade/threads/inbox.hpp>
#include <brigade/threads/options.hpp>
#include <brigade/threads/starving_watch.hpp>
#include <brigade/threads/worker.hpp>
#include <brigade/threads/worker_table.hpp>
#include <brigade/work/executor.hpp>
#include <brigade/work/job_state.hpp>

namespace brigade::detail {

struct blocked_wait;

class threads_executor final : public executor, private starving_source {
 public:
  // Starts no thread. Throws std::invalid_argument for CPUs that the process may not use.
  threads_executor(threads_options options, dispatcher& owner);
  ~threads_executor() override;

  void post(work_item& item) noexcept override;
  void wait_on_worker(job_state& awaited, std::optional<clock::time_point> deadline) override;
  void discard_queued() noexcept override;
  void join() noexcept override;

  bool resize(unsigned workers) override;
  [[nodiscard]] unsigned worker_count() const noexcept override {
    return target_.load(std::memory_order_relaxed);  // a statistic
  }
  [[nodiscard]] std::vector<worker_info> workers() const override;

 private:
  // --- running (threads_executor.cpp) -----------------------------------------------------------
  [[nodiscard]] bool start() noexcept;
  void start_thread(worker& slot);
  void work(worker& me) noexcept;
  void serve(worker& me) noexcept;
  void act(work_item& item) noexcept;
  work_item* take(worker& me) noexcept;
  work_item* take_share(worker& me) noexcept;
  work_item* steal_for(worker& me, unsigned past) noexcept;
  void discard_all() noexcept;
  [[nodiscard]] worker_info describe_worker(const worker& of) const;
  void call_hook(const std::function<void(const worker_info&)>& hook, const worker& of) noexcept;

  // Of all workers, some of which may take something meanwhile.
  [[nodiscard]] look look_at_queue() noexcept override;

  // --- workers that come and go (resize.cpp)
  // ------------------------------------------------------
  void employ(worker& slot) noexcept;
  void retire(worker& slot) noexcept;
  void succeed(worker& me) noexcept;
  void hand_over(worker& me) noexcept;
  // How many slots may have a thread, under the mutex.
  [[nodiscard]] unsigned most_slots() const noexcept {
    return target_.load(std::memory_order_relaxed) + options_.spare_limit;
  }

  // --- sleeping and waking (parking.cpp) --------------------------------------------------------
  void notify_work() noexcept;
  void provide_thread() noexcept;
  // Who shall be woken; null when nobody has to be, or a new thread was started.
  [[nodiscard]] worker* choose_thread() noexcept;
  [[nodiscard]] bool work_visible() const noexcept;
  void start_searching() noexcept;
  void stop_searching() noexcept;
  [[nodiscard]] bool worth_spinning() const noexcept;
  // Sleeps until there may be work. Returns false when the thread should end. Precondition and
  // result: the thread counts as searching.
  [[nodiscard]] bool park(worker& me) noexcept;
  // Whether the thread is a spare beyond what is needed, and should sit out.
  [[nodiscard]] bool surplus(const worker& me) const noexcept;
  // Sleeps until needed again; then as park().
  [[nodiscard]] bool sit_out(worker& me, bool searching) noexcept;
  // One that was taken out of the reserve, under the mutex.
  void call_back(worker& spare) noexcept;
  void count_back() noexcept;  // the first half of it
  [[nodiscard]] static bool take_out(std::vector<worker*>& list, worker& which) noexcept;
  static void wake(worker& which) noexcept;

  // --- blocked workers (blocked.cpp) ------------------------------------------------------------
  enum class need_kind : std::uint8_t {
    unknown,  // what it waits for may happen anywhere: a timer, another executor, a running body
    queued,   // a job of this executor that could run right here
    own,      // a task that waits on this very thread
  };
  struct need {
    need_kind kind;
    job_ref<job_state> job;
  };
  [[nodiscard]] need find_need(const worker& me, job_state& awaited) noexcept;
  [[nodiscard]] job_ref<job_state> next_in_chain(job_state& job) noexcept;
  void run_here(worker& me, job_state& job) noexcept;
  void wait_blocked(worker& me, job_state& awaited);
  [[nodiscard]] bool sleep_blocked(worker& me, blocked_wait& wait, job_state& awaited);
  bool help(worker& me, job_state& awaited) noexcept;
  [[nodiscard]] bool dead_end(const worker& me, job_state& awaited) noexcept;
  [[nodiscard]] bool nobody_runs() noexcept;
  void enter_blocked(blocked_wait* wait) noexcept;
  void leave_blocked(blocked_wait* wait) noexcept;
  void call_helper() noexcept;

  const threads_options options_;
  std::atomic<unsigned> target_;  // threads that run at once; written under the mutex
  std::vector<unsigned> cpus_;
  unsigned usable_cpus_ = 1;

  inbox inbox_;
  worker_table slots_;                   // of workers and spares, now or once
  std::atomic<unsigned> slots_used_{0};  // the first so many have had a thread
  std::atomic<bool> started_{false};
  std::atomic<bool> discarding_{false};

  // How many threads look for work, sleep for want of it, and are neither blocked nor sitting out.
  alignas(64) std::atomic<unsigned> searching_{0};
  std::atomic<unsigned> parked_count_{0};
  std::atomic<unsigned> runnable_{0};

  std::mutex joining_;  // two may shut down at once
  mutable std::mutex mutex_;
  bool stopping_ = false;
  std::vector<worker*> parked_;   // the latest sleeper last: its cache is warmest
  std::vector<worker*> reserve_;  // spares that sit out
  blocked_wait* blocked_ = nullptr;
  unsigned blocked_outside_ = 0;  // blocked waits that something outside of this pool can end
  starving_watch watch_;
};

}  // namespace brigade::detail
