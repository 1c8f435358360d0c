#include <brigade/threads/starving_watch.hpp>

#include <algorithm>
#include <utility>

namespace brigade::detail {

starving_watch::starving_watch(dispatcher& owner, starving_source& source,
                               std::chrono::milliseconds limit)
    : owner_(owner), source_(source), limit_(limit) {
  look_.self = this;
  look_.fire = [](timer_node& node) noexcept { static_cast<timer&>(node).self->look_now(); };
  if (limit_ <= std::chrono::milliseconds::zero() || !owner_.callbacks().on_starving_queue) {
    watched_.store(true, std::memory_order_relaxed);  // so that start() never begins
  }
}

void starving_watch::start() noexcept {
  // relaxed: whoever wakes up after look_now() found the pool idle sees by the pool's mutex that
  // nobody watches. Only one of start() and look_now() wins.
  if (watched_.load(std::memory_order_relaxed)) return;
  if (watched_.exchange(true, std::memory_order_relaxed)) return;
  const std::lock_guard lock(mutex_);
  if (!stopped_) look_at(clock::now() + limit_);
}

void starving_watch::look_at(clock::time_point when) noexcept {
  try {
    owner_.timers().add(look_, when);
    pending_ = true;
  } catch (...) {
    // No thread or no memory for the timer: the next worker that wakes up asks again.
    watched_.store(false, std::memory_order_relaxed);
  }
}

bool starving_watch::inspect(const starving_source::look& seen, clock::time_point now,
                             clock::time_point& again) noexcept {
  again = now + limit_;
  if (seen.queue.queued == 0 || std::exchange(moved_, seen.moved) != seen.moved) {
    waiting_ = reported_ = false;
  }
  if (seen.queue.queued == 0) return false;
  if (!std::exchange(waiting_, true)) since_ = now;
  return now - since_ >= limit_ && !std::exchange(reported_, true);
}

void starving_watch::look_now() noexcept {
  const std::lock_guard lock(mutex_);
  pending_ = false;
  if (stopped_) {
    looked_.notify_all();
    return;
  }
  const clock::time_point now = clock::now();
  starving_source::look seen = source_.look_at_queue();
  if (seen.idle) {
    waiting_ = reported_ = false;
    watched_.store(false, std::memory_order_relaxed);
    // A worker may have woken up in between and seen that somebody watches: look again.
    seen = source_.look_at_queue();
    if (seen.idle || watched_.exchange(true, std::memory_order_relaxed)) return;
  }
  clock::time_point again;
  if (inspect(seen, now, again)) {
    const clock::time_point oldest = std::min(since_, seen.oldest);
    seen.queue.oldest = std::chrono::floor<std::chrono::milliseconds>(now - oldest);
    report_starving_queue(owner_.callbacks(), seen.queue);
  }
  look_at(again);
}

void starving_watch::stop() noexcept {
  std::unique_lock lock(mutex_);
  stopped_ = true;
  if (pending_ && owner_.timers().cancel(look_)) pending_ = false;
  looked_.wait(lock, [this] { return !pending_; });  // a look has begun: let it end
}

}  // namespace brigade::detail
