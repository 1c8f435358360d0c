#include <brigade/processes/conductor.hpp>

#include <algorithm>
#include <array>
#include <stdexcept>

#include <brigade/base/error.hpp>
#include <brigade/os/cpu.hpp>
#include <brigade/os/signal.hpp>
#include <brigade/os/thread.hpp>
#include <brigade/processes/call_cargo.hpp>
#include <brigade/processes/poll_tokens.hpp>
#include <brigade/processes/program.hpp>
#include <brigade/processes/reading_right.hpp>
#include <brigade/processes/worker_life.hpp>

namespace brigade::detail {
namespace {

// After a caller has read answers, how long the thread expects another to come, and how long an
// answer may wait when none does.
constexpr std::chrono::milliseconds watchful_time{10};
constexpr std::chrono::milliseconds watch_interval{1};
// Memory of large arguments that has not been used for so long goes back to the system.
constexpr std::chrono::seconds trim_interval{1};

processes_options checked(processes_options options) {
  const auto refuse = [](const std::string& what) {
    throw std::invalid_argument("processes_options: " + what);
  };
  if (options.workers > most_worker_processes) {
    refuse(std::to_string(options.workers) + " workers are more than the " +
           std::to_string(most_worker_processes) + " that are allowed; 0 takes one for each CPU");
  }
  for (const auto time : {options.stop_grace, options.kill_grace, options.boot_limit}) {
    if (time >= std::chrono::milliseconds(0) && time <= std::chrono::hours(24)) continue;
    refuse(std::to_string(time.count()) + " ms is no time to wait; 0 to 24 hours are");
  }
  check_life(options);
  if (options.workers == 0) options.workers = std::min(os::usable_cpus(), most_worker_processes);
  return options;
}

}  // namespace

conductor::conductor(processes_options options, dispatcher& owner)
    : options_(checked(std::move(options))),
      owner_(&owner),
      target_(options_.workers),
      cpus_(os::usable_cpus()),
      slots_(options_.workers) {
  if (options_.start == start_method::fork) {
    if (!options_.worker_program.empty()) {
      throw std::invalid_argument(
          "processes_options: a worker_program cannot be forked from this "
          "one; take forkserver or spawn");
    }
    nursery_.emplace();
  }
  for (unsigned i = 0; i < options_.workers; ++i)
    slots_[i].index = i;
}

// --- from any thread -----------------------------------------------------------------------------

void conductor::start_thread() {
  const bool own_program = options_.worker_program.empty() && options_.start != start_method::fork;
  const std::string objection =
      objection_to_this_program(own_program ? needs_init::yes : needs_init::no);
  if (!objection.empty()) {
    throw std::runtime_error(objection);
  }
  poll_.emplace();
  bell_.emplace();
  poll_->add(bell_->get(), EPOLLIN, bell_token);
  if (options_.on_output) output_.emplace(options_.on_output, owner_->callbacks());
  const os::blocked_signals blocked;  // signals are for the program's own threads
  thread_ = std::thread([this] { run(); });
}

void conductor::push(job_state& job) noexcept {
  std::exception_ptr failure;
  {
    locked lock(mutex_);
    if (discarding_ || stopping_) {
      failure = cancelled_error(job, " was cancelled before it started: the runtime shut down");
    } else if (!thread_.joinable()) {
      try {
        start_thread();
      } catch (const std::exception& reason) {
        output_.reset();
        bell_.reset();
        poll_.reset();
        const task_identity task = job.identity();
        failure = std::make_exception_ptr(
            worker_start_failed(describe(task) + " cannot run: " + reason.what(), task));
      }
    }
    if (!failure) {
      enqueue(job, lock);
      return;
    }
  }
  job.discard(std::move(failure));
  job.release();
}

bool conductor::load(job_state& job, std::unique_ptr<cargo> packed) noexcept {
  const std::lock_guard lock(mutex_);
  // Whoever ends it drops the cargo too: lent to us it cannot be, until take_back() has the mutex.
  if (!job.try_lend()) return false;
  *job.cargo_slot() = std::move(packed);
  job.end_loan();  // releases the cargo to whoever takes the job from the queue
  return true;
}

void conductor::enqueue(job_state& job, locked& lock) {
  for (std::size_t level = 0; level < static_cast<std::size_t>(job.level); ++level) {
    if (lent_[level] == 0) continue;
    for (worker_slot& slot : slots_)
      reclaim_lent(slot, job.level);
    break;
  }
  queue_.push(job);
  feed(lock, clock::now());
  // The thread is needed to start workers only.
  const auto ready = [this](const worker_slot& slot) {
    return slot.phase == worker_phase::ready || slot.index >= worker_count();
  };
  if (!queue_.empty() && !std::ranges::all_of(slots_, ready)) note_news();
}

void conductor::note_blocks() noexcept {
  // seq_cst: a block is held before this looks; wait() says that it does not trim and then looks
  // for blocks. One of them sees the other.
  if (blocks_->held_bytes() == 0 || trims_.load(std::memory_order_seq_cst)) return;
  const std::lock_guard lock(mutex_);
  trims_.store(true, std::memory_order_seq_cst);
  note_news();
}

void conductor::note_news() noexcept {
  news_ = true;
  if (!asleep_) return;
  asleep_ = false;
  bell_->signal();
}

worker_slot* conductor::slot_of(const job_state& job) noexcept {
  const auto found =
      std::ranges::find_if(slots_, [&](const worker_slot& slot) { return slot.job == &job; });
  return found == slots_.end() ? nullptr : &*found;
}

lent_job* conductor::lent_of(const job_state& job) noexcept {
  for (worker_slot& slot : slots_) {
    const auto found = std::ranges::find(slot.lent, &job, &lent_job::job);
    if (found != slot.lent.end()) return &*found;
  }
  return nullptr;
}

void conductor::interrupt(job_state& job, interruption why) noexcept {
  bool waiting = false;
  {
    const std::lock_guard lock(mutex_);
    const auto why_disturbed =
        why == interruption::deadline ? disturbance::deadline : disturbance::cancelled;
    if (worker_slot* const slot = slot_of(job)) {
      interrupt_head(*slot, why_disturbed);
    } else if (lent_job* const lent = lent_of(job)) {
      lent->pending = std::max(lent->pending, why_disturbed);
      note_news();
    } else {
      waiting = queue_.remove_again(job);
    }
  }
  if (waiting) {
    job.finish(job.decide_error(cancelled_error(job, " was cancelled before it was tried again")));
  }
}

void conductor::condemn_for_kill(worker_slot& slot) noexcept {
  // Decided now, so that an answer that is on its way no longer counts; told at the worker's end.
  if (slot.job->decide_error(cancelled_error(*slot.job, " was killed while it ran"))) {
    slot.decided = true;
  }
  slot.cause = disturbance::killed;
  if (!slot.on_its_way) end_head(slot, end_request::kill);
  note_news();
}

bool conductor::kill(job_state& job) noexcept {
  {
    const std::lock_guard lock(mutex_);
    if (worker_slot* const slot = slot_of(job)) {
      condemn_for_kill(*slot);
      return true;
    }
    if (lent_job* const lent = lent_of(job)) {
      lent->pending = disturbance::killed;
      note_news();
      return true;
    }
    if (!queue_.remove_again(job)) return false;
  }
  job.finish(job.decide_error(cancelled_error(job, " was killed before it was tried again")));
  return true;
}

void conductor::kill_running() noexcept {
  const std::lock_guard lock(mutex_);
  for (worker_slot& slot : slots_) {
    if (slot.job != nullptr) condemn_for_kill(slot);
    for (lent_job& each : slot.lent)
      each.pending = disturbance::killed;
  }
}

void conductor::discard_queued() noexcept {
  job_queue discarded;
  {
    const std::lock_guard lock(mutex_);
    discarding_ = true;
    for (worker_slot& slot : slots_)
      reclaim_all_lent(slot);
    while (work_item* const item = queue_.pop())
      discarded.push(*item);
  }
  while (work_item* const item = discarded.pop())
    item->act(*item, item_action::discard);
}

void conductor::join() noexcept {
  const std::lock_guard joining(joining_);  // whoever comes second finds all ended, too
  blocks_->close();                         // nobody will trim them
  std::thread ending;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    if (!thread_.joinable()) return;
    note_news();
    ending = std::move(thread_);  // others may look at it
  }
  ending.join();
  // Nobody else touches these any more: the thread is not asleep, and no other one will start.
  output_.reset();
  bell_.reset();
  poll_.reset();
  discard_queued();  // what is left are jobs that ended while they were queued: let go of them
}

std::vector<worker_info> conductor::workers() const {
  std::vector<worker_info> found;
  const std::lock_guard lock(mutex_);
  for (const worker_slot& slot : slots_) {
    if (slot.phase == worker_phase::ready) found.push_back(info_of(slot));
  }
  return found;
}

// --- the thread ----------------------------------------------------------------------------------

void conductor::run() noexcept {
  os::set_thread_name("brigade-procs");
  for (;;) {
    bool stopping = false;
    {
      const std::lock_guard lock(mutex_);
      stopping = stopping_;
    }
    if (stopping) {
      if (end_pool()) return;
    } else {
      adjust();
      refill();
    }
    carry_out_requests();  // before anything is sent: a condemned worker gets no more tasks
    if (reads_) {
      const reading_right right(*this);
      read_answers();
    }
    send_frames();
    wait();
    blocks_->trim(clock::now() - trim_interval);
    note_progress();
    act_on_deadlines();
  }
}

std::optional<clock::time_point> conductor::next_deadline() const {
  std::optional<clock::time_point> next;
  const auto consider = [&next](const std::optional<clock::time_point>& when) {
    if (when && (!next || *when < *next)) next = when;
  };
  bool vacant = false;
  for (const worker_slot& slot : slots_) {
    consider(slot.act_at);
    consider(slot.obey_before);
    if (slot.idle()) consider(slot.idle_until);
    vacant = vacant || slot.phase == worker_phase::none;
  }
  if (link_.phase() == supervisor_link::state::starting) consider(link_ready_before_);
  if (vacant && rest_until_ > clock::now()) consider(rest_until_);
  return next;
}

void conductor::wait() {
  std::optional<clock::time_point> until;
  {
    const std::lock_guard lock(mutex_);
    until = next_deadline();
    const auto now = clock::now();
    watchful_ = now - last_led_ < watchful_time;
    if (watchful_) {
      until = std::min(until.value_or(now + watch_interval), now + watch_interval);
    } else {
      // From now on workers send a frame for what they answer.
      for (const worker_slot& slot : slots_) {
        if (slot.job != nullptr && slot.lane) slot.lane->tell_me_if_awake();
      }
    }
    // What was answered before that; a caller that leads and has not slept for long reads it.
    trims_.store(false, std::memory_order_seq_cst);  // as in note_blocks()
    if (blocks_->held_bytes() != 0) {
      trims_.store(true, std::memory_order_seq_cst);
      until = std::min(until.value_or(now + trim_interval), now + trim_interval);
    }
    news_ = news_ || (!(led_ && watchful_) && any_answer());
    if (news_) until = clock::time_point{};
    asleep_ = !news_;
  }
  std::array<epoll_event, 64> room;
  const std::span<epoll_event> events = poll_->wait(room, until);
  {
    const std::lock_guard lock(mutex_);
    asleep_ = false;
    // Answers are left to a caller that has read some just now; two threads would be in each
    // other's way.
    const bool left_to_caller = clock::now() - last_led_ < watch_interval;
    reads_ = news_ || !events.empty() || !watchful_ || !left_to_caller;
    news_ = false;
  }
  for (const epoll_event& event : events) {
    const std::uint64_t token = event.data.u64;
    if (token == bell_token) {
      bell_->drain();
    } else if (token == link_token) {
      on_link();
    } else {
      worker_slot& slot = slots_[token - first_worker_token];
      if ((event.events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) receive(slot);
    }
  }
}

}  // namespace brigade::detail
