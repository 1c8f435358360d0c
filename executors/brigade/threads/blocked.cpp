// Workers that block in get() or wait().
//
// A blocked worker first looks along the chain of what it waits for: the awaited task, or what that
// coroutine waits for in turn, and so on. A job of this pool that it finds there, still queued,
// runs right here, on top of the waiting task: that cannot go wrong, since the task could not go on
// without it. Then the worker sleeps and stops counting as runnable; when work waits, a spare
// thread takes its place.
//
// Resumptions of any other coroutine run on top of a blocked task only when the pool is at its
// limit with everybody blocked, since one of them might wait for the very task below it: spare
// threads come first. When nothing is left to run, the wait throws would_deadlock. So it does, at
// once, when the chain comes back to a task of this thread; a circle that a coroutine closes by a
// co_await after the worker fell asleep is not noticed.
#include <string>

#include <brigade/os/futex.hpp>
#include <brigade/threads/threads_executor.hpp>
#include <brigade/work/context.hpp>
#include <brigade/work/coroutine_root.hpp>

namespace brigade::detail {

// One untimed wait of a blocked worker, on its stack. The list of them is under the pool's mutex.
struct blocked_wait : continuation {
  enum bits : std::uint32_t { ready = 1, called = 2 };

  blocked_wait(const wait_frame& of, bool from_outside) noexcept
      : frames(&of), outside(from_outside) {
    notify = [](continuation& self) noexcept { static_cast<blocked_wait&>(self).set(ready); };
  }

  void set(bits bit) noexcept {
    // release: the sleeper sees what happened before. From here on it may be gone: only the address
    // is used.
    word.fetch_or(bit, std::memory_order_release);
    os::futex_wake(word, 1);
  }

  std::atomic<std::uint32_t> word{0};
  const wait_frame* const frames;  // its own, and those below, which stand still meanwhile
  const bool outside;              // something that is not of this pool can end it
  blocked_wait* next = nullptr;
  blocked_wait* previous = nullptr;
};

namespace {

constexpr unsigned depth_limit = 256;   // tasks on top of each other, on one stack
constexpr unsigned chain_limit = 1024;  // tasks that wait for each other in a row

[[noreturn]] void throw_deadlock(const job_state& awaited, const std::string& why) {
  throw would_deadlock("a blocking get() or wait() on a worker of threads for " +
                           describe(awaited.identity()) + " would never return: " + why,
                       awaited.identity());
}

[[noreturn]] void throw_own(const job_state& awaited) {
  throw_deadlock(awaited,
                 "that task, or one that it needs, waits for the caller; break the circle");
}

void note_turn(worker& me) noexcept {
  // relaxed: see take().
  me.turn.store(me.turn.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

// Keeps a task that waits in its thread's chain for as long as it does.
class wait_scope {
 public:
  wait_scope(worker& me, job_state& awaited) noexcept
      : me_(&me), frame_{this_thread_context().job, &awaited, me.waits} {
    me.waits = &frame_;
  }
  wait_scope(const wait_scope&) = delete;
  wait_scope& operator=(const wait_scope&) = delete;
  ~wait_scope() { me_->waits = frame_.below; }

 private:
  worker* me_;
  const wait_frame frame_;
};

}  // namespace

void threads_executor::wait_on_worker(job_state& awaited,
                                      std::optional<clock::time_point> deadline) {
  worker& me = slots_[this_thread_context().worker];
  if (deadline) {  // another task could take longer than that: only sleep
    enter_blocked(nullptr);
    awaited.sleep_until_ready(deadline);
    leave_blocked(nullptr);
    return;
  }
  const wait_scope scope(me, awaited);
  while (!awaited.ready()) {
    const need found = find_need(me, awaited);
    if (found.kind == need_kind::own) throw_own(awaited);
    if (found.kind != need_kind::queued || me.depth >= depth_limit) break;
    run_here(me, *found.job);
  }
  if (!awaited.ready()) wait_blocked(me, awaited);
}

// --- what a wait needs ---------------------------------------------------------------------------

threads_executor::need threads_executor::find_need(const worker& me, job_state& awaited) noexcept {
  auto at = job_ref<job_state>::share(awaited);
  for (unsigned step = 0; step < chain_limit; ++step) {
    for (const wait_frame* frame = me.waits; frame != nullptr; frame = frame->below) {
      if (frame->waiting == at.get()) return {need_kind::own, at};
    }
    if (at->ready()) break;
    if (at->home() == this && at->phase() == job_state::body::queued && at->enqueued()) {
      return {need_kind::queued, at};
    }
    job_ref<job_state> next = next_in_chain(*at);
    if (!next) break;
    at = std::move(next);
  }
  return {need_kind::unknown, at};
}

// What a running job waits for: as a suspended coroutine, or on the stack of a blocked worker.
job_ref<job_state> threads_executor::next_in_chain(job_state& job) noexcept {
  if (coroutine_root* const root = job.root(); root != nullptr) {
    if (job_ref<job_state> next{root->share_awaited()}) return next;
  }
  const std::lock_guard lock(mutex_);
  for (const blocked_wait* wait = blocked_; wait != nullptr; wait = wait->next) {
    for (const wait_frame* frame = wait->frames; frame != nullptr; frame = frame->below) {
      if (frame->waiting == &job) return job_ref<job_state>::share(*frame->awaited);
    }
  }
  return {};
}

void threads_executor::run_here(worker& me, job_state& job) noexcept {
  // Its place in the queue stays behind; whoever finds it there sees that it has started.
  if (discarding_.load(std::memory_order_acquire)) {  // pairs with discard_queued()
    job.retain();                                     // given back by act()
    act(job);
    return;
  }
  if (!job.try_start()) return;  // somebody was faster
  job.retain();                  // the body's
  note_turn(me);
  ++me.depth;
  job.run();
  --me.depth;
}

// --- sleeping ------------------------------------------------------------------------------------

void threads_executor::enter_blocked(blocked_wait* wait) noexcept {
  {
    const std::lock_guard lock(mutex_);
    if (wait == nullptr || wait->outside) ++blocked_outside_;
    if (wait != nullptr) {
      wait->next = blocked_;
      if (blocked_ != nullptr) blocked_->previous = wait;
      blocked_ = wait;
    }
    // seq_cst, then a look at the queues: see parking.cpp.
    runnable_.fetch_sub(1, std::memory_order_seq_cst);
  }
  if (work_visible()) notify_work();
}

void threads_executor::leave_blocked(blocked_wait* wait) noexcept {
  const std::lock_guard lock(mutex_);
  runnable_.fetch_add(1, std::memory_order_seq_cst);
  if (wait == nullptr || wait->outside) --blocked_outside_;
  if (wait == nullptr) return;
  (wait->previous != nullptr ? wait->previous->next : blocked_) = wait->next;
  if (wait->next != nullptr) wait->next->previous = wait->previous;
}

void threads_executor::wait_blocked(worker& me, job_state& awaited) {
  blocked_wait wait(*me.waits, !awaited.depends_on(*this));
  if (!awaited.set_continuation(wait)) return;  // ready by now
  enter_blocked(&wait);
  const bool stuck = !sleep_blocked(me, wait, awaited);
  leave_blocked(&wait);
  if (!stuck) return;
  if (!awaited.remove_continuation(wait)) {  // it became ready after all: wait until it has said so
    for (std::uint32_t seen = 0;
         ((seen = wait.word.load(std::memory_order_acquire)) & blocked_wait::ready) == 0;) {
      os::futex_wait(wait.word, seen);
    }
    return;
  }
  if (find_need(me, awaited).kind == need_kind::own) throw_own(awaited);
  throw_deadlock(awaited,
                 "all " + std::to_string(worker_count() + options_.spare_limit) +
                     " threads of the pool are blocked and the work that waits has none left; "
                     "co_await futures instead, or raise threads_options::spare_limit");
}

// Returns false when the wait would never end.
bool threads_executor::sleep_blocked(worker& me, blocked_wait& wait, job_state& awaited) {
  // Those who close a circle at the same time have all entered before they look.
  if (find_need(me, awaited).kind == need_kind::own) return false;
  for (;;) {
    // acquire: pairs with set(). Cleared before we look, so that a later call is not lost.
    const std::uint32_t seen =
        wait.word.fetch_and(~std::uint32_t{blocked_wait::called}, std::memory_order_acquire);
    if ((seen & blocked_wait::ready) != 0) return true;
    if (nobody_runs()) {
      if (help(me, awaited)) continue;
      if (dead_end(me, awaited)) return false;
    }
    os::futex_wait(wait.word, 0);
  }
}

// --- at the limit --------------------------------------------------------------------------------

bool threads_executor::nobody_runs() noexcept {
  const std::lock_guard lock(mutex_);
  if (runnable_.load(std::memory_order_seq_cst) != 0 || !reserve_.empty()) return false;
  for (unsigned index = 0; index < most_slots(); ++index) {
    // One more thread can start, now or soon.
    if (!slots_[index].alive || slots_[index].ending) return false;
  }
  return true;
}

// Wakes a blocked worker that may help, or find that there is no way out. Under the mutex.
void threads_executor::call_helper() noexcept {
  for (blocked_wait* wait = blocked_; wait != nullptr; wait = wait->next) {
    // relaxed: a hint; one that is about to wake looks again before it leaves.
    if (wait->word.load(std::memory_order_relaxed) != 0) continue;
    wait->set(blocked_wait::called);
    return;
  }
}

// Runs one thing on top of the blocked task. Returns whether there was one.
bool threads_executor::help(worker& me, job_state& awaited) noexcept {
  const need found = find_need(me, awaited);
  work_item* const item = found.kind == need_kind::queued ? nullptr : inbox_.take_resumption();
  if (found.kind != need_kind::queued && item == nullptr) return false;
  if (found.kind == need_kind::queued && me.depth >= depth_limit) return false;
  runnable_.fetch_add(1, std::memory_order_seq_cst);
  if (item != nullptr) {
    note_turn(me);
    ++me.depth;
    act(*item);
    --me.depth;
  } else {
    run_here(me, *found.job);
  }
  runnable_.fetch_sub(1, std::memory_order_seq_cst);
  if (work_visible()) notify_work();  // as in enter_blocked()
  return true;
}

// Whether nothing could make `awaited` ready. Precondition: nobody runs, and there was no help.
bool threads_executor::dead_end(const worker& me, job_state& awaited) noexcept {
  {
    const std::lock_guard lock(mutex_);
    if (blocked_outside_ != 0) return false;
  }
  if (!awaited.depends_on(*this)) return false;
  const need found = find_need(me, awaited);
  if (found.kind != need_kind::unknown) return true;
  // The end of the chain is a timer, another executor, or a combination of futures, of which we do
  // not know what it needs: perhaps the work that nobody can take.
  const bool combined = found.job->home() == nullptr;
  return combined && !found.job->ready() && work_visible();
}

}  // namespace brigade::detail
