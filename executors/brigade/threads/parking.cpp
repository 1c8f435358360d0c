// Who sleeps, and who wakes whom.
//
// The promise: while an item is queued, and a thread could take it, some thread is awake that will
// look at every queue before it sleeps. It rests on two pairs of sequentially consistent
// operations, each of the form "write mine, then read yours", so that one side sees the other:
//
//   poster:  queue the item,            then read searching_ (and parked_count_, runnable_)
//   sleeper: parked_count_ + 1, searching_ - 1,  then read every queue
//
// A poster that reads searching_ != 0 leaves the item to that searcher. If the searcher had looked
// past it, it is about to lower searching_ and look again: then it sees the item and stays awake.
// If the searcher found something else to do, stop_searching() looks for it and passes the duty on.
// A thread that blocks lowers runnable_ and then reads the queues, in the same way.
//
// Only the thread that was woken searches, so a burst of posts wakes one thread, and that one wakes
// the next if it leaves work behind.
#include <algorithm>
#include <chrono>
#include <exception>

#include <brigade/os/futex.hpp>
#include <brigade/threads/threads_executor.hpp>

namespace brigade::detail {
namespace {

constexpr std::chrono::milliseconds spare_linger{500};  // an idle spare that is not needed ends

}  // namespace

bool threads_executor::work_visible() const noexcept {
  if (!inbox_.empty()) return true;
  const unsigned used = slots_used_.load(std::memory_order_seq_cst);
  for (unsigned index = 0; index < used; ++index) {
    if (!slots_[index].deque.empty()) return true;
  }
  return false;
}

void threads_executor::notify_work() noexcept {
  if (searching_.load(std::memory_order_seq_cst) != 0) return;
  if (parked_count_.load(std::memory_order_seq_cst) == 0 &&
      runnable_.load(std::memory_order_seq_cst) >= target_.load(std::memory_order_seq_cst)) {
    return;  // all are at work: each looks again before it sleeps
  }
  provide_thread();
}

void threads_executor::wake(worker& which) noexcept {
  // release: the woken thread sees what its waker did under the mutex.
  which.signal.store(1, std::memory_order_release);
  os::futex_wake(which.signal, 1);
}

void threads_executor::provide_thread() noexcept {
  // Woken after the mutex has been left: on one CPU the woken thread runs at once, and would soon
  // wait for the mutex. join() waits for that thread, which waits for the signal: only the call to
  // the kernel may come when the slot has gone, and it reads nothing there.
  if (worker* const woken = choose_thread()) wake(*woken);
}

worker* threads_executor::choose_thread() noexcept {
  const std::lock_guard lock(mutex_);
  if (stopping_ || searching_.load(std::memory_order_seq_cst) != 0) return nullptr;
  if (!parked_.empty()) {
    worker& chosen = *parked_.back();
    parked_.pop_back();
    parked_count_.fetch_sub(1, std::memory_order_seq_cst);
    searching_.fetch_add(1, std::memory_order_seq_cst);
    return &chosen;
  }
  if (runnable_.load(std::memory_order_seq_cst) >= target_.load(std::memory_order_seq_cst))
    return nullptr;
  if (!reserve_.empty()) {
    worker& chosen = *reserve_.back();
    reserve_.pop_back();
    count_back();
    return &chosen;
  }
  for (unsigned index = 0; index < most_slots(); ++index) {
    if (slots_[index].alive) continue;
    try {
      start_thread(slots_[index]);
      return nullptr;
    } catch (...) {  // no more threads: as at the limit
      break;
    }
  }
  if (runnable_.load(std::memory_order_seq_cst) == 0) call_helper();
  return nullptr;
}

void threads_executor::count_back() noexcept {
  runnable_.fetch_add(1, std::memory_order_seq_cst);
  searching_.fetch_add(1, std::memory_order_seq_cst);
}

void threads_executor::call_back(worker& spare) noexcept {
  count_back();
  wake(spare);
}

void threads_executor::start_searching() noexcept {
  searching_.fetch_add(1, std::memory_order_seq_cst);
}

void threads_executor::stop_searching() noexcept {
  const bool last = searching_.fetch_sub(1, std::memory_order_seq_cst) == 1;
  if (last && work_visible()) notify_work();
}

bool threads_executor::worth_spinning() const noexcept {
  // relaxed: a guess. Spinning helps only while a CPU is free for whoever is to bring work.
  const unsigned awake =
      runnable_.load(std::memory_order_relaxed) - parked_count_.load(std::memory_order_relaxed);
  return awake < usable_cpus_;
}

bool threads_executor::take_out(std::vector<worker*>& list, worker& which) noexcept {
  const auto at = std::find(list.begin(), list.end(), &which);
  if (at == list.end()) return false;
  list.erase(at);
  return true;
}

bool threads_executor::park(worker& me) noexcept {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) {
      searching_.fetch_sub(1, std::memory_order_seq_cst);
      runnable_.fetch_sub(1, std::memory_order_seq_cst);
      return false;
    }
    parked_.push_back(&me);
    parked_count_.fetch_add(1, std::memory_order_seq_cst);
    // In this order, since notify_work() reads searching_ first.
    searching_.fetch_sub(1, std::memory_order_seq_cst);
  }
  if (work_visible()) {
    const std::lock_guard lock(mutex_);
    if (take_out(parked_, me)) {
      parked_count_.fetch_sub(1, std::memory_order_seq_cst);
      searching_.fetch_add(1, std::memory_order_seq_cst);
      return true;
    }  // else somebody has just taken me out, and signals
  }
  // acquire: pairs with wake().
  while (me.signal.load(std::memory_order_acquire) == 0) {
    std::optional<os::deadline> until;
    if (me.index >= worker_count()) until = clock::now() + spare_linger;
    if (os::futex_wait(me.signal, 0, os::futex_scope::this_process, until)) continue;
    const std::lock_guard lock(mutex_);
    if (surplus(me) && take_out(parked_, me)) {
      parked_count_.fetch_sub(1, std::memory_order_seq_cst);
      runnable_.fetch_sub(1, std::memory_order_seq_cst);
      me.ending = true;
      return false;
    }
  }
  me.signal.store(0, std::memory_order_relaxed);  // only those who find me in a list write it
  return true;
}

bool threads_executor::surplus(const worker& me) const noexcept {
  // relaxed: sit_out() decides under the mutex.
  const unsigned target = target_.load(std::memory_order_relaxed);
  return me.index >= target && runnable_.load(std::memory_order_relaxed) > target;
}

bool threads_executor::sit_out(worker& me, bool searching) noexcept {
  bool leaves = false;
  {
    const std::lock_guard lock(mutex_);
    if (!searching) searching_.fetch_add(1, std::memory_order_seq_cst);
    // Others may have sat out or blocked since the caller looked.
    if (stopping_ || runnable_.load(std::memory_order_seq_cst) <= worker_count()) return true;
    runnable_.fetch_sub(1, std::memory_order_seq_cst);
    leaves = me.ending = me.retiring;
    if (!leaves) reserve_.push_back(&me);
  }
  hand_over(me);
  stop_searching();  // leaves all that waits to others
  if (leaves) return false;
  while (me.signal.load(std::memory_order_acquire) == 0) {  // acquire: pairs with wake()
    if (os::futex_wait(me.signal, 0, os::futex_scope::this_process, clock::now() + spare_linger)) {
      continue;
    }
    const std::lock_guard lock(mutex_);
    if (take_out(reserve_, me)) {
      me.ending = true;
      return false;
    }
  }
  me.signal.store(0, std::memory_order_relaxed);  // as in park()
  return true;
}

}  // namespace brigade::detail
