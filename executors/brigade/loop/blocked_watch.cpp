#include <brigade/loop/blocked_watch.hpp>

#include <algorithm>
#include <optional>
#include <utility>

#include <brigade/os/proc.hpp>
#include <brigade/os/thread.hpp>
#include <brigade/work/dispatcher.hpp>

namespace brigade::detail {

blocked_watch::blocked_watch(dispatcher& owner, loop_activity& activity,
                             std::chrono::milliseconds limit)
    : owner_(owner), activity_(activity), limit_(limit) {
  look_.self = this;
  look_.fire = [](timer_node& node) noexcept { static_cast<look&>(node).self->look_now(); };
  if (limit_ <= std::chrono::milliseconds::zero()) {
    activity_.watched.store(true, std::memory_order_relaxed);  // nobody ever calls start()
  }
}

void blocked_watch::start() noexcept {
  // seq_cst: see reactor::begin_running(). Only one of start() and look_now() wins.
  if (activity_.watched.exchange(true, std::memory_order_seq_cst)) return;
  const std::lock_guard lock(mutex_);
  thread_ = os::thread_id();
  if (!stopped_) look_at(clock::now() + limit_);
}

void blocked_watch::look_at(clock::time_point when) noexcept {
  try {
    owner_.timers().add(look_, when);
    pending_ = true;
  } catch (...) {
    // No thread or no memory for the timer: the loop asks again at its next turn.
    activity_.watched.store(false, std::memory_order_seq_cst);
  }
}

bool blocked_watch::inspect(clock::time_point now, clock::time_point& again) noexcept {
  // relaxed: the count says which item it was, and is looked at again before anything is reported.
  const std::uint64_t count = activity_.count.load(std::memory_order_relaxed);
  clock::time_point counted_from = last_look_;
  if (count != seen_) {
    // It began after the last look, and about when the loop says.
    const clock::time_point begun(clock::duration(activity_.since.load(std::memory_order_relaxed)));
    seen_ = count;
    seen_since_ = std::clamp(begun, std::min(last_look_, now), now);
    counted_from = seen_since_;
    blamed_ = {};
  }
  last_look_ = now;
  blamed_ += blame(now - counted_from);
  if (blamed_ >= limit_) {
    again = now + limit_;
    return std::exchange(reported_, count) != count;
  }
  again = now + std::max(limit_ - blamed_, clock::duration(limit_) / 8);
  return false;
}

clock::duration blocked_watch::blame(clock::duration passed) noexcept try {
  const auto schedule = os::read_thread_schedule(thread_);
  if (!schedule) return passed;
  const os::thread_schedule before = std::exchange(schedule_at_last_look_, *schedule);
  // One that is ready may have been so for long: then only what it has computed counts. It sleeps
  // in a call: then all counts but what it waited for a CPU.
  return schedule->ready
             ? std::min<clock::duration>(passed, schedule->on_cpu - before.on_cpu)
             : std::max<clock::duration>(passed - (schedule->run_delay - before.run_delay), {});
} catch (...) {
  return passed;  // no memory for the reading
}

void blocked_watch::look_now() noexcept {
  const std::lock_guard lock(mutex_);
  pending_ = false;
  if (stopped_) {
    looked_.notify_all();
    return;
  }
  const clock::time_point now = clock::now();
  if (activity_.running.load(std::memory_order_seq_cst) == nullptr) {
    // Idle. seq_cst, all three: see reactor::begin_running().
    activity_.watched.store(false, std::memory_order_seq_cst);
    if (activity_.running.load(std::memory_order_seq_cst) == nullptr) return;
    if (activity_.watched.exchange(true, std::memory_order_seq_cst)) return;  // start() was first
  }
  clock::time_point again;
  if (inspect(now, again)) report(now);
  look_at(again);
}

void blocked_watch::report(clock::time_point now) noexcept {
  const std::optional<task_identity> task =
      owner_.running_task(activity_.running.load(std::memory_order_relaxed));
  // relaxed: if the loop has gone on since, the task that was found may be another one.
  if (activity_.count.load(std::memory_order_relaxed) != seen_) return;
  blocked_loop what;
  if (task) what.task = *task;
  what.lasted = std::chrono::floor<std::chrono::milliseconds>(now - seen_since_);
  report_blocked_loop(owner_.callbacks(), what);
}

void blocked_watch::stop() noexcept {
  std::unique_lock lock(mutex_);
  stopped_ = true;
  if (pending_ && owner_.timers().cancel(look_)) pending_ = false;
  looked_.wait(lock, [this] { return !pending_; });  // a look has begun: let it end
}

}  // namespace brigade::detail
