// Workers that come and go while the pool runs.
//
// The first target_ slots are the workers, those behind them spares. A larger target makes spares
// workers and starts what is missing. A smaller one makes workers spares, and a spare that is more
// than are needed leaves at its next turn: after the task that it runs, with what it had queued
// put into the inbox. Only while another worker is blocked does it stand in for that one first.
#include <algorithm>
#include <stdexcept>
#include <string>

#include <brigade/threads/threads_executor.hpp>

namespace brigade::detail {

bool threads_executor::resize(unsigned workers) {
  if (workers == 0 || workers > most_threads) {
    throw std::invalid_argument("a pool has 1 to " + std::to_string(most_threads) +
                                " threads, not " + std::to_string(workers));
  }
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return true;
    slots_.grow(workers + options_.spare_limit);  // what may throw comes first
    parked_.reserve(slots_.size());
    reserve_.reserve(slots_.size());
    // seq_cst: comes before the look at the queues below, as in parking.cpp.
    const unsigned before = target_.exchange(workers, std::memory_order_seq_cst);
    if (!started_.load(std::memory_order_relaxed)) return true;  // written under the mutex
    for (unsigned index = before; index < workers; ++index)
      employ(slots_[index]);
    for (unsigned index = workers; index < before; ++index)
      retire(slots_[index]);
  }
  if (work_visible()) notify_work();
  return true;
}

// Under the mutex.
void threads_executor::employ(worker& slot) noexcept {
  slot.retiring = false;
  if (slot.ending) return;  // it starts its successor itself
  if (!slot.alive) {
    try {
      start_thread(slot);
    } catch (...) {  // go on with fewer: provide_thread() tries again
    }
  } else if (take_out(reserve_, slot)) {
    call_back(slot);
  }
}

// Under the mutex. It finds out by itself whether it is needed.
void threads_executor::retire(worker& slot) noexcept {
  if (!slot.alive || slot.ending) return;
  slot.retiring = true;
  if (take_out(parked_, slot)) {
    parked_count_.fetch_sub(1, std::memory_order_seq_cst);
    searching_.fetch_add(1, std::memory_order_seq_cst);
    wake(slot);
  } else if (take_out(reserve_, slot)) {
    call_back(slot);
  }
}

// Of one that leaves, on its own thread: discard_queued() overlooks what is between two queues.
void threads_executor::hand_over(worker& me) noexcept {
  if (me.deque.empty()) return;
  while (!me.deque.empty()) {
    if (work_item* const item = me.deque.steal()) inbox_.push(*item);
  }
  if (discarding_.load(std::memory_order_seq_cst)) discard_all();  // as in post()
}

// Under the mutex: somebody has wanted this slot while its thread was on its way out.
void threads_executor::succeed(worker& me) noexcept {
  if (stopping_ || me.index >= target_.load(std::memory_order_relaxed)) return;
  employ(me);
}

}  // namespace brigade::detail
