#include <brigade/work/job_state.hpp>

#include <stdexcept>
#include <utility>

#include <brigade/os/clock.hpp>
#include <brigade/work/context.hpp>
#include <brigade/work/dispatcher.hpp>

namespace brigade::detail {

void job_extras::request_cancel::operator()() const noexcept {
  // The job is alive on entry, since its owner waits for this callback before it lets go; cancel()
  // may give that up, and destroys this object. Hence a copy and a reference.
  const job_ref<job_state> kept = job_ref<job_state>::share(*job);
  kept->cancel();
}

job_state::job_state() noexcept {
  is_job = true;
  // The queue's reference moves to the body when it starts, and ends here otherwise.
  act = [](work_item& item, item_action action) noexcept {
    auto& job = static_cast<job_state&>(item);
    if (action == item_action::run && job.try_start()) {
      job.run();
      return;
    }
    if (action == item_action::discard) {
      job.discard(std::make_exception_ptr(task_cancelled(
          describe(job.identity()) + " was cancelled before it started: the runtime shut down",
          job.identity())));
    }
    job.release();
  };
}

void job_state::release() noexcept {
  // acquire: the last owner sees every write that the others made before they let go. Who has the
  // only reference is alone: nobody could add one.
  if (references_.load(std::memory_order_acquire) == 1 ||
      references_.fetch_sub(1, std::memory_order_acq_rel) == 1) {
    delete this;
  }
}

// --- body ----------------------------------------------------------------------------------------

job_state::body job_state::phase() const noexcept {
  return phase_.load(std::memory_order_acquire);  // acquire: sees what the phase's setter wrote
}

bool job_state::try_start() noexcept {
  body expected = body::queued;
  // acq_rel: the queue has already published the job; release lets cancel() see who runs it.
  return phase_.compare_exchange_strong(expected, body::running, std::memory_order_acq_rel,
                                        std::memory_order_relaxed);
}

bool job_state::try_lend() noexcept {
  body expected = body::queued;
  // relaxed: the executor's lock orders whatever follows from it.
  return phase_.compare_exchange_strong(expected, body::lent, std::memory_order_relaxed);
}

void job_state::end_loan() noexcept {
  phase_.store(body::queued, std::memory_order_release);  // a canceller may take it now
}

void job_state::start_lent() noexcept {
  phase_.store(body::running, std::memory_order_release);  // as try_start()
}

bool job_state::take_from_queue() noexcept {
  for (;;) {
    body expected = body::queued;
    // acquire: the canceller destroys arguments that another thread made.
    if (phase_.compare_exchange_strong(expected, body::finished, std::memory_order_acq_rel,
                                       std::memory_order_relaxed)) {
      return true;
    }
    if (expected != body::lent || !home_->take_back(*this)) return false;
  }
}

void job_state::start_elsewhere(unsigned worker) noexcept {
  note_started(worker);
  owner_->body_started(*this);
}

void job_state::run() noexcept {
  start_elsewhere(context_record.worker);
  const task_scope scope(*this);
  invoke();  // gives the body's reference back, perhaps before it returns
}

// Statistics, all of these, and so relaxed.

void job_state::note_queued() noexcept {
  if (!has_clocks()) return;
  clocks().queued_at.store(clock::now().time_since_epoch().count(), std::memory_order_relaxed);
}

void job_state::note_started(unsigned worker) noexcept {
  if (!has_clocks()) return;
  job_clocks& to = clocks();
  to.worker.store(worker, std::memory_order_relaxed);
  to.started_at.store(clock::now().time_since_epoch().count(), std::memory_order_relaxed);
}

void job_state::finish(bool decided) noexcept {
  note_finished();
  phase_.store(body::finished, std::memory_order_release);  // a late cancel() finds it finished
  drop_payload();
  disarm_all();
  dispatcher& owner = *owner_;
  account& books = owner.mine();
  owner.body_finished(*this, books);
  if (decided) publish();
  release();
  owner.job_settled(books);  // last: the runtime may be destroyed after it
}

void job_state::note_finished() noexcept {
  if (!has_clocks()) return;
  clocks().finished_at.store(clock::now().time_since_epoch().count(), std::memory_order_relaxed);
}

void job_state::settle_discarded() noexcept {
  note_finished();
  drop_payload();
  disarm_all();
  owner_->body_discarded(*this);
}

bool job_state::discard(std::exception_ptr error) noexcept {
  if (!take_from_queue()) return false;
  const bool decided = decide_error(std::move(error));
  settle_discarded();
  dispatcher& owner = *owner_;
  if (decided) publish();
  owner.job_settled();
  return true;
}

void job_state::interrupt(interruption why, bool& asked) noexcept {
  // release: whoever sees the flag sees what its setter did before. Read by take_attempt().
  stop_requested_.store(true, std::memory_order_release);
  asked = request_stop();
  if (home_ != nullptr) home_->interrupt(*this, why);
}

bool job_state::cancel() noexcept {
  const bool queued = phase() < body::running;
  if (queued && discard(std::make_exception_ptr(task_cancelled(
                    describe(identity()) + " was cancelled before it started", identity())))) {
    return true;
  }
  if (phase() != body::running) return false;
  bool asked = false;
  interrupt(interruption::cancelled, asked);
  return asked || (home_ != nullptr && home_kind_ == executor_kind::processes);
}

bool job_state::kill() noexcept {
  const bool by_force = home_ != nullptr && home_kind_ == executor_kind::processes;
  if (!by_force) {
    cancel();
    return false;
  }
  if (discard(std::make_exception_ptr(
          task_cancelled(describe(identity()) + " was killed before it started", identity())))) {
    return true;
  }
  return phase() == body::running && home_->kill(*this);
}

const char* job_state::at_timeout(bool queued) const noexcept {
  if (queued) return "waited in the queue; it never ran";
  if (home_ == nullptr || home_kind_ != executor_kind::processes) {
    return "ran; it was asked to stop";
  }
  return takes_stop() ? "ran; it was asked to stop, and its worker process is killed and replaced "
                        "unless it does"
                      : "ran; its worker process was killed and is replaced";
}

void job_state::time_out(timeout_kind kind) noexcept {
  const bool queued = take_from_queue();
  if (!queued && kind == timeout_kind::queue_deadline) return;
  const bool decided = claim_outcome();
  if (decided) {
    const char* const what = kind == timeout_kind::deadline ? "its deadline" : "its queue deadline";
    put_error(std::make_exception_ptr(task_timeout(
        describe(identity()) + " timed out: " + what + " passed while it " + at_timeout(queued),
        identity())));
  }
  if (queued) settle_discarded();
  dispatcher& owner = *owner_;
  if (decided) publish();
  if (queued) {
    owner.job_settled();
  } else if (phase() == body::running) {  // perhaps no more: shutdown() waits for us all the same
    bool asked = false;
    interrupt(interruption::deadline, asked);
  }
}

bool job_state::stop_requested() const noexcept {
  return stop_requested_.load(std::memory_order_acquire);  // pairs with interrupt()
}

bool job_state::take_attempt() noexcept {
  if (!extras_ || !extras_->idempotent || extras_->attempts_left == 0 || stop_requested()) {
    return false;
  }
  --extras_->attempts_left;
  ++extras_->attempt;
  return true;
}

void job_state::disarm(job_extras::armed_timer& timer) noexcept {
  if (timer.job == nullptr) return;
  // When the timer is firing right now, its callback gives the reference back.
  if (owner_->timers().cancel(timer)) release();
}

void job_state::disarm_all() noexcept {
  if (!extras_) return;
  // acq_rel: the one who comes second sees what the other armed or did.
  using arming = job_extras::arming;
  if (extras_->armed.exchange(arming::ended, std::memory_order_acq_rel) == arming::going_on) return;
  disarm_extras();
}

void job_state::armed() noexcept {
  using arming = job_extras::arming;
  // acq_rel: as in disarm_all().
  if (extras_->armed.exchange(arming::done, std::memory_order_acq_rel) == arming::ended) {
    disarm_extras();
  }
}

void job_state::disarm_extras() noexcept {
  extras_->on_stop.reset();  // waits for a callback that runs on another thread
  disarm(extras_->deadline);
  disarm(extras_->queue_deadline);
}

bool job_state::depends_on(const executor& where) const noexcept {
  return owner_ == &where.owner() && (depends_on_ & (1U << index_of(where.kind()))) != 0;
}

std::uint64_t job_state::id() const noexcept {
  static constinit std::atomic<std::uint64_t> given{0};
  // relaxed, all: a number that only has to be unique.
  std::uint64_t id = id_.load(std::memory_order_relaxed);
  if (id != 0) return id;
  const std::uint64_t fresh = given.fetch_add(1, std::memory_order_relaxed) + 1;
  return id_.compare_exchange_strong(id, fresh, std::memory_order_relaxed) ? fresh : id;
}

task_identity job_state::identity() const {
  if (stands_for_process_task_) return process_task();
  task_identity identity{name(), id(), std::nullopt};
  if (home_ != nullptr) identity.executor = home_kind_;
  return identity;
}

job_times job_state::times() const noexcept {
  if (!has_clocks()) return {};
  const auto at = [](const std::atomic<clock::rep>& time) {
    return clock::time_point(clock::duration(time.load(std::memory_order_relaxed)));
  };
  const job_clocks& from = clocks();
  return {at(from.queued_at), at(from.started_at), at(from.finished_at)};
}

unsigned job_state::worker() const noexcept {
  return has_clocks() ? clocks().worker.load(std::memory_order_relaxed) : 0;
}

std::chrono::nanoseconds job_state::cpu_time() const noexcept {
  if (!has_clocks()) return {};
  return std::chrono::nanoseconds(clocks().cpu_time.load(std::memory_order_relaxed));
}

void job_state::add_cpu_time(std::chrono::nanoseconds time) noexcept {
  if (has_clocks()) clocks().cpu_time.fetch_add(time.count(), std::memory_order_relaxed);
}

}  // namespace brigade::detail
