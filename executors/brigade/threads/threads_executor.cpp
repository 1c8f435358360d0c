#include <brigade/threads/threads_executor.hpp>

#include <algorithm>
#include <stdexcept>
#include <utility>

#include <brigade/os/cpu.hpp>
#include <brigade/os/process.hpp>
#include <brigade/os/thread.hpp>
#include <brigade/sync/spin_hint.hpp>
#include <brigade/work/context.hpp>
#include <brigade/work/dispatcher.hpp>

namespace brigade::detail {
namespace {

constexpr unsigned spin_rounds = 40;  // about 20 us, some of the price of a wake-up across cores

unsigned count_workers(const threads_options& options) {
  if (options.workers > most_threads || options.spare_limit > most_threads) {
    throw std::invalid_argument("brigade: threads_options: " + std::to_string(options.workers) +
                                " workers and " + std::to_string(options.spare_limit) +
                                " spares are more than the " + std::to_string(most_threads) +
                                " of each that are allowed; 0 workers takes one for each CPU");
  }
  return options.workers != 0 ? options.workers : os::usable_cpus();
}

std::vector<unsigned> choose_cpus(const threads_options& options) {
  if (!options.pin) return {};
  std::vector<unsigned> allowed = os::allowed_cpus();
  if (options.cpus.empty()) return allowed;
  for (const unsigned cpu : options.cpus) {
    if (std::find(allowed.begin(), allowed.end(), cpu) == allowed.end()) {
      throw std::invalid_argument("threads_options::cpus names CPU " + std::to_string(cpu) +
                                  ", which this process may not use; see taskset -p");
    }
  }
  return options.cpus;
}

}  // namespace

threads_executor::threads_executor(threads_options options, dispatcher& owner)
    : executor(executor_kind::threads, owner),
      options_(std::move(options)),
      target_(count_workers(options_)),
      cpus_(choose_cpus(options_)),
      usable_cpus_(os::usable_cpus()),
      watch_(owner, *this, options_.starving_after) {
  slots_.grow(most_slots());
  parked_.reserve(slots_.size());  // so that parking allocates nothing
  reserve_.reserve(slots_.size());
}

threads_executor::~threads_executor() { join(); }

void threads_executor::post(work_item& item) noexcept {
  // acquire: pairs with start(), so that the poster sees the threads that it may have to wake.
  if (!started_.load(std::memory_order_acquire) && !start() && item.is_job) {
    auto& job = static_cast<job_state&>(item);
    job.discard(std::make_exception_ptr(worker_start_failed(
        describe(job.identity()) + " could not run: no thread could be started; raise the limit of "
                                   "threads (ulimit -u, pids.max) or of memory",
        job.identity())));
    job.release();
    return;
  }
  bool queued = false;
  const thread_context& here = context_record;
  if (here.where == this && item.is_job && item.level == priority::normal) {
    try {
      slots_[here.worker].deque.push(item);
      queued = true;
    } catch (...) {  // no memory for a larger deque: the inbox needs none
    }
  }
  if (!queued) inbox_.push(item);
  // seq_cst, after the push: either discard_queued() finds the item, or this finds the flag.
  if (discarding_.load(std::memory_order_seq_cst)) discard_all();
  notify_work();
}

bool threads_executor::start() noexcept {
  const std::lock_guard lock(mutex_);
  if (started_.load(std::memory_order_relaxed)) return true;  // written under the mutex
  unsigned begun = 0;
  try {
    for (; begun < worker_count(); ++begun)
      start_thread(slots_[begun]);
  } catch (...) {
    if (begun == 0) return false;  // else go on with fewer; provide_thread() tries again
  }
  started_.store(true, std::memory_order_release);  // pairs with post()
  return true;
}

// Under the mutex. Throws std::system_error, std::bad_alloc.
void threads_executor::start_thread(worker& slot) {
  slot.previous = std::move(slot.thread);
  slot.alive = true;
  slot.tid = 0;
  if (slot.index >= slots_used_.load(std::memory_order_relaxed)) {
    // seq_cst: a thief that may be asked about the slot's deque must see that it is there.
    slots_used_.store(slot.index + 1, std::memory_order_seq_cst);
  }
  runnable_.fetch_add(1, std::memory_order_seq_cst);
  try {
    slot.thread = std::thread([this, &slot] { work(slot); });
  } catch (...) {
    runnable_.fetch_sub(1, std::memory_order_seq_cst);
    slot.alive = false;
    slot.thread = std::move(slot.previous);
    throw;
  }
}

void threads_executor::call_hook(const std::function<void(const worker_info&)>& hook,
                                 const worker& of) noexcept {
  if (!hook) return;
  try {
    worker_info info;
    {
      const std::lock_guard lock(mutex_);
      info = describe_worker(of);
    }
    hook(info);
  } catch (...) {
    task_identity nobody;
    nobody.executor = kind();
    report_error(owner().callbacks(), nobody, std::current_exception());
  }
}

// The whole life of a thread.
void threads_executor::work(worker& me) noexcept {
  if (me.previous.joinable()) me.previous.join();
  os::set_thread_name(options_.name + "-" + std::to_string(me.index));
  if (!cpus_.empty()) {
    try {
      os::pin_this_thread(cpus_[me.index % cpus_.size()]);
    } catch (...) {  // the CPU was taken from the process since it was checked: run anywhere
    }
  }
  {
    const std::lock_guard lock(mutex_);
    me.tid = os::thread_id();  // from now on workers() shows it
    owner().count_worker(kind(), false);
  }
  {
    const worker_scope scope(*this, me.index);
    call_hook(owner().callbacks().on_worker_start, me);
    serve(me);
    call_hook(owner().callbacks().on_worker_stop, me);
  }
  {
    const std::lock_guard lock(mutex_);
    me.alive = me.ending = me.retiring = false;
    succeed(me);
  }
  // Somebody may have wanted this slot while the thread was on its way out.
  if (work_visible()) notify_work();
}

void threads_executor::serve(worker& me) noexcept {
  bool searching = false;
  unsigned spins = 0;
  watch_.start();
  for (;;) {
    if (surplus(me)) {
      if (!sit_out(me, searching)) return;
      searching = true;
      watch_.start();
    }
    if (work_item* const item = take(me)) {
      if (std::exchange(searching, false)) stop_searching();
      spins = 0;
      act(*item);
    } else if (!searching) {
      start_searching();
      searching = true;
    } else if (spins < spin_rounds && worth_spinning()) {
      ++spins;
      spin_hint();
    } else {
      if (!park(me)) return;
      spins = 0;
      watch_.start();
    }
  }
}

void threads_executor::act(work_item& item) noexcept {
  // seq_cst: discard_queued() overlooks only items that are between two queues, and these come here
  // afterwards.
  const bool discards = item.is_job && discarding_.load(std::memory_order_seq_cst);
  item.act(item, discards ? item_action::discard : item_action::run);
}

// Own work goes first, but every 16th turn goes to those who would otherwise starve behind tasks
// that keep submitting tasks. So the first of the outsiders waits for 32 tasks of a worker at most,
// the oldest of its own for 64, and the oldest of a worker that is busy or blocked for 64 times the
// number of workers.
work_item* threads_executor::take(worker& me) noexcept {
  // relaxed: only this thread writes it, and whoever else reads it asks just whether it changes.
  const unsigned turn = me.turn.load(std::memory_order_relaxed) + 1;
  me.turn.store(turn, std::memory_order_relaxed);
  if (inbox_.has_urgent()) {
    if (work_item* const item = inbox_.take(priority::high)) return item;
  }
  work_item* item = nullptr;
  if (turn % 16 == 0) {
    switch (turn / 16 % 4) {
      case 0:
        item = me.deque.steal();
        break;
      case 2:  // from another one first each time: some never run out
        item = steal_for(me, turn / 64);
        break;
      default:
        item = inbox_.take(priority::normal);
        break;
    }
    if (item != nullptr) return item;
  }
  if ((item = me.deque.pop()) != nullptr) return item;
  if ((item = take_share(me)) != nullptr) return item;
  if ((item = inbox_.take()) != nullptr) return item;
  return steal_for(me, 0);
}

// The first of a few jobs from the inbox; the others go to my deque, where idle workers find them.
work_item* threads_executor::take_share(worker& me) noexcept {
  inbox::several share;
  const std::size_t count = inbox_.take_share(share, worker_count());
  if (count == 0) return nullptr;
  if (count > 1) {
    try {
      me.deque.push(&share[1], static_cast<std::int64_t>(count - 1));
    } catch (...) {  // no memory for a larger deque: the inbox needs none
      for (std::size_t index = 1; index < count; ++index)
        inbox_.push(*share[index]);
    }
    // They were not to be seen for a moment, in which somebody may have gone to sleep.
    notify_work();
  }
  return share[0];
}

// Begins with the next of the others, past so many.
work_item* threads_executor::steal_for(worker& me, unsigned past) noexcept {
  const unsigned used = slots_used_.load(std::memory_order_acquire);
  unsigned at = (me.index + 1 + past) % used;
  for (unsigned step = 0; step < used; ++step) {
    worker& victim = slots_[at];
    at = at + 1 == used ? 0 : at + 1;
    if (&victim == &me) continue;
    if (work_item* const item = victim.deque.steal()) return item;
  }
  return nullptr;
}

void threads_executor::discard_queued() noexcept {
  discarding_.store(true, std::memory_order_seq_cst);  // before the look at the queues: see post()
  discard_all();
}

// All jobs that wait now. Workers may be busy for long, so whoever asks does it.
void threads_executor::discard_all() noexcept {
  while (work_item* const item = inbox_.take_job())
    act(*item);
  const unsigned used = slots_used_.load(std::memory_order_seq_cst);
  for (unsigned index = 0; index < used; ++index) {
    work_deque& deque = slots_[index].deque;
    while (!deque.empty()) {
      if (work_item* const item = deque.steal()) act(*item);
    }
  }
}

void threads_executor::join() noexcept {
  const std::lock_guard joining(joining_);
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    started_.store(true, std::memory_order_relaxed);  // nothing is posted any more
    parked_count_.fetch_sub(static_cast<unsigned>(parked_.size()), std::memory_order_seq_cst);
    runnable_.fetch_add(static_cast<unsigned>(reserve_.size()), std::memory_order_seq_cst);
    for (std::vector<worker*>* const sleepers : {&parked_, &reserve_}) {
      searching_.fetch_add(static_cast<unsigned>(sleepers->size()), std::memory_order_seq_cst);
      for (worker* const each : *sleepers)
        wake(*each);
      sleepers->clear();
    }
  }
  for (unsigned index = 0; index < slots_.size(); ++index) {
    if (slots_[index].thread.joinable()) slots_[index].thread.join();
  }
  watch_.stop();
  // What is left are jobs that ended while they were queued.
  discarding_.store(true, std::memory_order_seq_cst);
  discard_all();
}

worker_info threads_executor::describe_worker(const worker& of) const {
  worker_info info;
  info.executor = executor_kind::threads;
  info.index = of.index;
  info.name = options_.name + "-" + std::to_string(of.index);
  info.pid = os::process_id();
  info.tid = of.tid;
  return info;
}

std::vector<worker_info> threads_executor::workers() const {
  std::vector<worker_info> result;
  const std::lock_guard lock(mutex_);
  for (unsigned index = 0; index < slots_.size(); ++index) {
    const worker& slot = slots_[index];
    if (slot.alive && slot.tid != 0) result.push_back(describe_worker(slot));
  }
  return result;
}

starving_source::look threads_executor::look_at_queue() noexcept {
  look seen;
  const inbox::glance glance = inbox_.look();
  const executor_stats stats = owner().stats(kind());
  seen.oldest = glance.oldest;
  seen.queue.executor = kind();
  seen.queue.queued = stats.queued + glance.resumptions;
  seen.moved = stats.cancelled;
  const std::lock_guard lock(mutex_);
  std::size_t awake = 0;
  for (unsigned index = 0; index < slots_.size(); ++index) {
    const worker& slot = slots_[index];
    seen.moved += slot.turn.load(std::memory_order_relaxed);
    awake += slot.alive && !slot.ending ? 1 : 0;
  }
  awake -= reserve_.size();
  const unsigned runnable = runnable_.load(std::memory_order_relaxed);
  seen.idle = awake == parked_.size();
  seen.queue.workers = runnable - static_cast<unsigned>(parked_.size());
  seen.queue.blocked = static_cast<unsigned>(awake) - runnable;
  seen.queue.cure = seen.queue.blocked == 0
                        ? "give it more threads (threads_options::workers, runtime::resize), or "
                          "make what waits in its tasks coroutines"
                        : "co_await futures instead of get() or wait(), or raise "
                          "threads_options::spare_limit";
  return seen;
}

}  // namespace brigade::detail
