#include <brigade/work/dispatcher.hpp>

#include <algorithm>
#include <mutex>
#include <stdexcept>
#include <utility>
#include <vector>

#include <brigade/os/thread.hpp>
#include <brigade/work/context.hpp>
#include <brigade/work/coroutine_root.hpp>

namespace brigade::detail {
namespace {

// The dispatchers of this process: few, and asked for only by what may outlive them.
struct alive_list {
  std::mutex mutex;
  std::vector<const dispatcher*> all;
};
alive_list& alive() {
  // Never destroyed: a runtime may be in a static object that was there before, and ends after.
  static alive_list& list = *new alive_list;
  return list;
}

}  // namespace

bool dispatcher::is_alive(const dispatcher* one) noexcept {
  if (one == nullptr) return false;
  alive_list& list = alive();
  const std::lock_guard lock(list.mutex);
  return std::find(list.all.begin(), list.all.end(), one) != list.all.end();
}

dispatcher::dispatcher(hooks hooks, std::array<queue_policy, all_executors.size()> policies)
    : hooks_(std::make_shared<const brigade::hooks>(std::move(hooks))),
      observed_(!hooks_->observers.empty()),
      policies_(policies) {
  for (const executor_kind kind : all_executors) {
    if (policies_[index_of(kind)].max_pending == 0) {
      throw std::invalid_argument("brigade: .max_pending of " + std::string(to_string(kind)) +
                                  " is 0, so that no task could ever be queued; give it 1 or more");
    }
    gates_[index_of(kind)] = std::make_unique<gate>(policies_[index_of(kind)].max_pending);
  }
  alive_list& list = alive();
  const std::lock_guard lock(list.mutex);
  list.all.push_back(this);
}

dispatcher::~dispatcher() {
  alive_list& list = alive();
  const std::lock_guard lock(list.mutex);
  std::erase(list.all, this);
}

// --- submission ----------------------------------------------------------------------------------

bool dispatcher::refuses(bool follows) const noexcept {
  // seq_cst, after the job was counted: see count_in().
  if (!stopping_.load(std::memory_order_seq_cst)) return false;
  if (refuse_all_.load(std::memory_order_seq_cst)) return true;
  if (follows) return false;  // draining: so may what follows from tasks, and tasks themselves
  const thread_context& here = context_record;
  return here.job == nullptr || here.owner != this;
}

void dispatcher::refuse(const job_state& job) const {
  throw runtime_stopped(
      describe(job.identity()) +
          " was refused: the runtime is shutting down; submit before shutdown() or the destructor",
      job.identity());
}

account& dispatcher::mine() noexcept {
  account* const own = context_record.books;
  return own != nullptr && own->owner == this ? *own : ledger_.shared();
}

gate::purse* dispatcher::purse_for(executor_kind kind, account& own) noexcept {
  const bool has_one = !own.shared() && own.kind == kind &&
                       own.number - account::shared_ones < gate_of(kind).most_purses();
  return has_one ? &own.purses[index_of(kind)] : nullptr;
}

bool dispatcher::try_enter(executor_kind kind) noexcept {
  account& books = mine();
  gate& entrance = gate_of(kind);
  if (books.shared() && entrance.most_purses() != 0) {
    return entrance.try_enter_together(books.purses[index_of(kind)]);
  }
  return entrance.try_enter(purse_for(kind, books));
}

void dispatcher::close_account(account& of) noexcept {
  if (of.shared()) return;
  // relaxed: its own thread's.
  gate_of(of.kind).leave(of.purses[index_of(of.kind)].exchange(0, std::memory_order_relaxed));
  ledger_.close(of);
}

// Counts the job as submitted, unless it is refused.
void dispatcher::count_in(job_state& job, executor_kind where, bool follows) {
  account& books = mine();
  std::atomic<std::uint64_t>& submitted = books.of[index_of(where)].submitted;
  if (const thread_context& here = context_record;
      !books.shared() && here.job != nullptr && here.owner == this) {
    // The running job, unsettled itself, keeps shutdown() waiting. relaxed: a refusal seen late is
    // that of a job submitted in time.
    if (refuse_all_.load(std::memory_order_relaxed)) refuse(job);
    books.add(submitted);
    return;
  }
  // seq_cst: a submitter counts and then reads stopping_; shutdown() writes stopping_ and then
  // reads the counts. One of them sees the other.
  submitted.fetch_add(1, std::memory_order_seq_cst);
  if (refuses(follows)) {
    ledger_.take_back(books, where);
    refuse(job);
  }
}

void dispatcher::adopt(job_state& job, executor_kind where) {
  job.owner_ = this;
  job.home_ = &at(where);
  job.home_kind_ = where;
  job.add_dependencies(1U << index_of(where));
  count_in(job, where, false);
  job.note_queued();
  if (observed()) notify(&observer::on_queued, job);
  if (where == executor_kind::processes) job.home_->prepare(job);
}

void dispatcher::adopt(job_state& job, executor_kind where, submit_options& options, bool follows) {
  job.owner_ = this;
  job.home_ = &at(where);
  job.home_kind_ = where;
  job.add_dependencies(1U << index_of(where));
  job.level = options.priority;
  count_in(job, where, follows);
  keep(job, options);
  job.note_queued();
  if (observed()) notify(&observer::on_queued, job);
  if (!follows) job.home_->prepare(job);
  if (!job.extras_ || job.phase() != job_state::body::queued) return;
  try {
    arm(job, options);
  } catch (...) {  // no thread for timers, no memory
    job.discard(std::current_exception());
  }
  job.armed();
}

void dispatcher::keep(job_state& job, submit_options& options) {
  const bool plain = options.name.empty() && !options.deadline && !options.queue_deadline &&
                     options.retries == 0 && !options.idempotent && !options.endless &&
                     !options.stop.stop_possible();
  if (plain) return;
  job.extras_ = std::make_unique<job_extras>();
  job_extras& extras = *job.extras_;
  extras.name = std::move(options.name);
  extras.attempts_left = options.retries;
  extras.idempotent = options.idempotent;
  extras.endless = options.endless;
}

void dispatcher::arm(job_state& job, submit_options& options) {
  job_extras& extras = *job.extras_;
  const clock::time_point queued = job.times().queued;
  const auto start = [&](job_extras::armed_timer& timer, std::chrono::nanoseconds after,
                         job_state::timeout_kind kind, void (*fire)(timer_node&) noexcept) {
    if (after <= clock::duration::zero()) {  // not even one that a worker would start at once
      job.time_out(kind);
      return;
    }
    timer.fire = fire;
    timer.job = &job;
    auto kept = job_ref<job_state>::share(job);
    const bool never = after > clock::time_point::max() - queued;
    timers_.add(timer, never ? clock::time_point::max() : queued + after);
    static_cast<void>(kept.take());  // the armed timer's
  };
  if (options.deadline) {
    constexpr auto kind = job_state::timeout_kind::deadline;
    start(extras.deadline, *options.deadline, kind, [](timer_node& node) noexcept {
      job_state* const job = static_cast<job_extras::armed_timer&>(node).job;
      job->time_out(kind);
      job->release();
    });
  }
  if (options.queue_deadline) {
    constexpr auto kind = job_state::timeout_kind::queue_deadline;
    start(extras.queue_deadline, *options.queue_deadline, kind, [](timer_node& node) noexcept {
      job_state* const job = static_cast<job_extras::armed_timer&>(node).job;
      job->time_out(kind);
      job->release();
    });
  }
  if (options.stop.stop_possible()) {
    extras.on_stop.emplace(options.stop, job_extras::request_cancel{&job});
  }
}

void dispatcher::give_up(job_state& job, std::exception_ptr error) noexcept {
  job.discard(std::move(error));
  job.release();
}

void dispatcher::wait_for_room(job_state& job, std::optional<brigade::when_full> when_full) {
  const executor_kind kind = job.home_->kind();
  gate& entrance = gate_of(kind);
  const std::size_t places = entrance.places();
  const std::string full = describe(job.identity()) + " was refused: " + std::to_string(places) +
                           (places == 1 ? " task waits" : " tasks wait") + " in its queue already";
  const bool may_wait = !job.home_->on_worker();
  if (when_full.value_or(policies_[index_of(kind)].when_full) == when_full::fail) {
    throw queue_full(full + (may_wait ? "; wait for results first, raise .max_pending or use "
                                        "when_full::wait"
                                      : "; wait for results first, co_await submit_async(...) in a "
                                        "coroutine or raise .max_pending"),
                     job.identity());
  }
  if (!may_wait) {
    throw would_deadlock(full +
                             " and a worker of that executor cannot wait for room; use "
                             "co_await submit_async(...), raise .max_pending or use "
                             "when_full::fail",
                         job.identity());
  }
  if (!entrance.enter()) refuse(job);
}

void dispatcher::submit(job_state& job, std::optional<brigade::when_full> when_full, bool known) {
  const executor_kind kind = job.home_->kind();
  gate& entrance = gate_of(kind);
  bool entered = try_enter(kind);
  if (!entered && entrance.most_purses() != 0 && stats(kind).queued < entrance.places()) {
    entrance.enter_always();  // the other places lie in purses, perhaps of threads that have gone
    entered = true;
  }
  if (!entered) {
    try {
      wait_for_room(job, when_full);
    } catch (const would_deadlock&) {
      give_up(job, std::current_exception());
      return;
    } catch (...) {
      job.unasked_ = false;  // the caller is told
      give_up(job, std::current_exception());
      throw;
    }
  }
  if (known) {
    enqueue(job);
  } else {
    // relaxed: nobody but its executor and its future will know the job, and only from now on.
    job.counted_.store(true, std::memory_order_relaxed);
    job.home_->post(job);
  }
}

void dispatcher::submit(job_state& job) {
  const bool prepared = job.home_->kind() == executor_kind::processes;  // and perhaps discarded
  submit(job, std::nullopt, prepared);
}

void dispatcher::submit(job_state& job, const submit_options& options) {
  submit(job, options.when_full, true);
}

void dispatcher::enqueue(job_state& job) noexcept {
  // seq_cst with leave_gate() in body_discarded(): a job that was discarded before it was counted
  // is found finished here, one that is discarded later finds itself counted.
  job.counted_.store(true, std::memory_order_seq_cst);
  if (job.phase_.load(std::memory_order_seq_cst) == job_state::body::finished) {
    if (job.counted_.exchange(false, std::memory_order_seq_cst)) {
      gate_of(job.home_->kind()).leave();
    }
    job.release();
    return;
  }
  job.home_->post(job);
}

void dispatcher::enqueue_follower(job_state& job) noexcept {
  gate_of(job.home_->kind()).enter_always();
  enqueue(job);
}

// --- told by jobs --------------------------------------------------------------------------------

void dispatcher::body_started(job_state& job) noexcept {
  const executor_kind kind = job.home_->kind();
  account& books = mine();
  // relaxed: once it runs, nobody else looks at it.
  if (job.counted_.load(std::memory_order_relaxed)) {
    job.counted_.store(false, std::memory_order_relaxed);
    gate_of(kind).leave(purse_for(kind, books));
  }
  books.add(books.of[index_of(kind)].started);
  const bool endless = job.extras_ && job.extras_->endless;
  running_.add(job, books, endless);
  if (observed()) notify(&observer::on_started, job);
  // seq_cst: either shutdown() finds the job among the running ones, or the job finds the flag.
  if (endless && stopping_.load(std::memory_order_seq_cst)) job.cancel();
}

void dispatcher::body_finished(job_state& job, account& books) noexcept {
  running_.remove(job);
  books.add(books.of[index_of(job.home_->kind())].finished);
  if (observed()) notify(&observer::on_finished, job);
}

void dispatcher::body_discarded(job_state& job) noexcept {
  const executor_kind kind = job.home_->kind();
  if (job.counted_.exchange(false, std::memory_order_seq_cst)) gate_of(kind).leave();
  account& books = mine();
  books.add(books.of[index_of(kind)].cancelled);
  if (observed()) notify(&observer::on_finished, job);
}

std::optional<task_identity> dispatcher::running_task(const void* address) {
  std::optional<task_identity> found;
  running_.visit(ledger_, [&](job_state& job) {
    const coroutine_root* const root = job.root();
    if (address == static_cast<const work_item*>(&job) ||
        (root != nullptr && root->is_at(address))) {
      found = job.identity();
    }
  });
  return found;
}

void dispatcher::notify(void (observer::*event)(const task_record&) noexcept,
                        const job_state& job) noexcept {
  const job_times times = job.times();
  task_record record;
  record.task = job.identity();
  record.worker = job.worker();
  record.queued = times.queued;
  record.started = times.started;
  record.finished = times.finished;
  record.cpu = job.cpu_time();
  record.failed = job.outcome_is_error();
  for (const std::shared_ptr<observer>& each : hooks_->observers)
    ((*each).*event)(record);
}

// --- statistics --------------------------------------------------------------------------------

executor_stats dispatcher::stats(executor_kind kind) const noexcept {
  executor_stats stats = ledger_.sums(kind);
  const std::size_t inside = gates_[index_of(kind)]->inside();
  stats.queued = inside > stats.queued ? inside - stats.queued : 0;  // without what lies in purses
  const counters& from = counters_[index_of(kind)];
  stats.workers_started = from.workers_started.load(std::memory_order_relaxed);
  stats.workers_lost = from.workers_lost.load(std::memory_order_relaxed);
  return stats;
}

void dispatcher::count_worker(executor_kind kind, bool lost) noexcept {
  counters& to = counters_[index_of(kind)];
  (lost ? to.workers_lost : to.workers_started).fetch_add(1, std::memory_order_relaxed);
}

}  // namespace brigade::detail
