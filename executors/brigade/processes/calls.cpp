// What goes to the workers: a job to one that is idle, some more in advance to those that are
// busy, and back from them what others can run earlier.
//
// All of it happens under the conductor's mutex, on whatever thread has something to give or has
// just found a worker idle.
#include <brigade/processes/conductor.hpp>

#include <algorithm>

#include <brigade/processes/call_cargo.hpp>
#include <brigade/processes/poll_tokens.hpp>
#include <brigade/work/transport.hpp>

namespace brigade::detail {
namespace {

// A worker has about this much work in advance, one job at least: it outlasts a wake-up.
constexpr std::int64_t advance_ns = 100'000;
constexpr std::size_t most_in_advance = 128;
// What waits behind a job that takes longer is for others.
constexpr std::chrono::milliseconds short_task{1};

std::size_t depth(const worker_slot& slot) noexcept {
  if (slot.service_ns <= 0) return 1;
  const auto jobs = static_cast<std::size_t>(advance_ns / slot.service_ns);
  return std::clamp<std::size_t>(jobs, 1, most_in_advance);
}

bool behind_a_long_one(const worker_slot& slot, clock::time_point now) noexcept {
  return slot.job != nullptr && now - slot.head_since > short_task;
}

bool takes_more(const worker_slot& slot) noexcept {
  return slot.phase == worker_phase::ready && slot.job != nullptr && !slot.on_its_way &&
         !slot.by_message && !slot.channel_ended && slot.wanted == end_request::none &&
         slot.cause == disturbance::none && slot.lent.size() < depth(slot);
}

std::vector<std::byte> frame_of(std::uint64_t call, std::span<const std::byte> body) {
  wire::frame_header header;
  header.kind = wire::frame_kind::call;
  header.call = call;
  return wire::make_frame(header, body);
}

}  // namespace

worker_slot* conductor::idle_slot() noexcept {
  if (busy_ >= slots_.size()) return nullptr;
  const auto found =
      std::ranges::find_if(slots_, [](const worker_slot& slot) { return slot.has_room(); });
  return found == slots_.end() ? nullptr : &*found;
}

void conductor::feed(locked& lock, clock::time_point now) {
  if (stopping_) return;
  for (worker_slot& slot : slots_) {
    if (!slot.lent.empty() && behind_a_long_one(slot, now)) reclaim_all_lent(slot);
  }
  job_queue dead;  // cancelled while they were queued
  for (;;) {
    if (worker_slot* const slot = idle_slot()) {
      job_state* job = queue_.pop_again();
      if (job == nullptr) job = next_fresh(false, dead);
      if (job == nullptr) job = steal();
      if (job == nullptr) break;
      send_to(*slot, *job, now, lock);
    } else if (queue_.empty() || !lend_one(now, dead)) {
      break;
    }
  }
  if (dead.empty()) return;
  lock.unlock();
  while (work_item* const item = dead.pop())
    static_cast<job_state*>(item)->release();
  lock.lock();
}

job_state* conductor::next_fresh(bool lend, job_queue& dead) noexcept {
  while (work_item* const item = queue_.pop()) {
    auto& job = static_cast<job_state&>(*item);
    // Under the mutex: whoever finds the body running or lent finds it in the slot too.
    if (lend ? job.try_lend() : job.try_start()) return &job;
    dead.push(job);
  }
  return nullptr;
}

void conductor::send_to(worker_slot& slot, job_state& job, clock::time_point now, locked& lock) {
  const std::uint64_t choice = ++last_choice_;
  slot.job = &job;
  slot.call = 0;
  slot.on_its_way = true;
  slot.choice = choice;
  slot.came_back = slot.by_message = slot.decided = slot.kill_disobedient = false;
  slot.cause = disturbance::none;
  slot.obey_before.reset();
  slot.head_since = now;
  ++busy_;
  if (call_cargo& cargo = cargo_of(job); !cargo.counted) {
    cargo.counted = true;
    // It tells observers and makes room in the queue; an answer must not come before that.
    lock.unlock();
    job.start_elsewhere(slot.index);
    lock.lock();
  }
  const bool still_there = slot.choice == choice;
  const bool decided = still_there && slot.decided;
  if (still_there) {
    slot.on_its_way = false;
    const disturbance cause = slot.cause;
    // One that can be asked to stop was started, so it runs and is asked.
    if (cause == disturbance::none || (cause != disturbance::killed && job.takes_stop())) {
      write_call(slot, job);
      if (cause != disturbance::none) interrupt_head(slot, cause);
      return;
    }
    slot.job = nullptr;
    --busy_;
  }
  lock.unlock();
  // Its worker has died meanwhile, or it was interrupted: it has not run.
  if (still_there || !queue_again(job)) {
    job.finish(job.decide_error(cancelled_error(job, " was cancelled before it ran")) || decided);
  }
  lock.lock();
}

void conductor::write_call(worker_slot& slot, job_state& job) {
  const call_cargo& cargo = cargo_of(job);
  wire::lane_message message = cargo.address();
  // This worker and the caller that waits for it, and nobody else.
  if (busy_ + 1 <= cpus_) message.flags |= wire::may_spin;
  const auto written = slot.lane->write(message, cargo.body(), std::nullopt, /*large=*/true);
  slot.call = written->call;
  if (written->place == wire::body_place::message) {
    slot.by_message = true;
    slot.unsent = frame_of(written->call, cargo.body());
    note_news();
  }
  if (watchful_ && !led_) {
    slot.lane->tell_me(wire::host_wait::none);  // the caller is expected to come for the answer
  } else {
    slot.lane->tell_me_if_awake();  // whoever is awake may sleep by the time of the answer
  }
  slot.lane->publish(written->call);
  slot.lane->wake_worker();
}

// --- in advance ----------------------------------------------------------------------------------

bool conductor::lend_one(clock::time_point now, job_queue& dead) {
  if (options_.growth_limit_bytes != 0) return false;  // each task may be its worker's last
  // Not while a worker is still to come: it will be idle, and what is queued is the sign for it.
  const auto coming = [this](const worker_slot& slot) {
    const bool missing = slot.phase == worker_phase::none || slot.phase == worker_phase::starting;
    return missing && slot.index < worker_count();
  };
  if (std::ranges::any_of(slots_, coming)) return false;
  worker_slot* to = nullptr;
  for (worker_slot& slot : slots_) {
    if (!takes_more(slot) || slot.worn_out || behind_a_long_one(slot, now)) continue;
    const std::uint64_t life = options_.max_tasks_per_worker;
    if (life != 0 && slot.tasks + 1 + slot.lent.size() >= life) continue;
    if (to == nullptr || slot.lent.size() < to->lent.size()) to = &slot;
  }
  if (to == nullptr) return false;
  job_state* const job = next_fresh(true, dead);
  if (job == nullptr) return false;
  const call_cargo& cargo = cargo_of(*job);
  const auto written = to->lane->write(cargo.address(), cargo.body(), to->call, /*large=*/false);
  if (!written) {
    job->end_loan();
    queue_.push_front(*job);
    return false;
  }
  to->lent.push_back({job, written->call});
  ++lent_[static_cast<std::size_t>(job->level)];
  to->lane->publish(written->call);
  to->lane->wake_worker();
  return true;
}

void conductor::reclaim_lent(worker_slot& slot, priority below) noexcept {
  // The last first, so that they are in the queue in their old order.
  for (std::size_t i = slot.lent.size(); i-- > 0;) {
    const lent_job& each = slot.lent[i];
    if (each.started || each.job->level >= below || !slot.lane->take_back(each.call)) continue;
    each.job->end_loan();
    queue_.push_front(*each.job);
    --lent_[static_cast<std::size_t>(each.job->level)];
    slot.lent.erase(slot.lent.begin() + static_cast<std::ptrdiff_t>(i));
  }
}

void conductor::reclaim_all_lent(worker_slot& slot) noexcept {
  reclaim_lent(slot, static_cast<priority>(priority_levels));
}

job_state* conductor::steal() noexcept {
  const auto most = std::ranges::max_element(
      slots_, {}, [](const worker_slot& slot) { return slot.lent.size(); });
  // Half of them, and the rest may be asked for again: the first is the oldest.
  std::size_t wanted = (most->lent.size() + 1) / 2;
  std::vector<job_state*> taken;
  for (std::size_t i = 0; i < most->lent.size() && wanted > 0;) {
    const lent_job& each = most->lent[i];
    if (each.started || !most->lane->take_back(each.call)) {
      ++i;
      continue;
    }
    taken.push_back(each.job);
    --lent_[static_cast<std::size_t>(each.job->level)];
    most->lent.erase(most->lent.begin() + static_cast<std::ptrdiff_t>(i));
    --wanted;
  }
  if (taken.empty()) return nullptr;
  for (std::size_t i = taken.size(); i-- > 1;) {
    taken[i]->end_loan();
    queue_.push_front(*taken[i]);
  }
  taken.front()->start_lent();
  return taken.front();
}

bool conductor::take_back(job_state& job) noexcept {
  const std::lock_guard lock(mutex_);
  for (worker_slot& slot : slots_) {
    const auto found = std::ranges::find(slot.lent, &job, &lent_job::job);
    if (found == slot.lent.end()) continue;
    if (found->started) return false;
    if (!slot.lane->take_back(found->call)) {
      // The worker has it already, and has answered the one before it.
      found->started = true;
      job.start_lent();
      note_news();
      return false;
    }
    --lent_[static_cast<std::size_t>(job.level)];
    slot.lent.erase(found);
    job.end_loan();
    queue_.push_front(job);
    return true;
  }
  return job.phase() == job_state::body::queued;
}

// --- interruptions -------------------------------------------------------------------------------

void conductor::interrupt_head(worker_slot& slot, disturbance why) noexcept {
  slot.cause = std::max(slot.cause, why);
  if (slot.cause == disturbance::killed && why != disturbance::killed) return;  // that ends it too
  if (slot.on_its_way) return;  // whoever sends it will see
  const bool late = why == disturbance::deadline;
  if (why == disturbance::killed) {
    condemn_for_kill(slot);
  } else if (slot.job->takes_stop()) {
    slot.kill_disobedient = slot.kill_disobedient || late;
    if (!slot.obey_before) slot.obey_before = clock::now() + options_.stop_grace;
    slot.lane->request_stop(slot.call);
  } else {
    end_head(slot, late ? end_request::kill : end_request::terminate);
  }
  note_news();
}

void conductor::end_head(worker_slot& slot, end_request how) noexcept {
  using standing = wire::host_lane::standing;
  // The worker goes forward only: one of two tries finds it where it is.
  for (int attempt = 0; attempt < 2; ++attempt) {
    if (slot.lane->condemn(slot.call)) {
      slot.wanted = std::max(slot.wanted, how);
      return;
    }
    if (!slot.by_message && slot.lane->take_back(slot.call)) {
      slot.came_back = true;
      note_news();
      return;
    }
  }
  if (slot.lane->look(slot.call) == standing::waiting) {  // its bytes may be half-way
    slot.wanted = std::max(slot.wanted, how);
    return;
  }
  // Answered: too late, unless the answer is large and the worker is still sending it.
  reclaim_all_lent(slot);
  if (slot.by_message && slot.lent.empty()) slot.wanted = std::max(slot.wanted, how);
}

// --- calls that are too large for the shared memory ----------------------------------------------

void conductor::send_frames() {
  for (worker_slot& slot : slots_) {
    const std::uint32_t events = EPOLLIN;
    {
      const std::lock_guard lock(mutex_);
      if (slot.unsent.empty() || slot.channel_ended) continue;
    }
    const auto status = slot.channel.try_send(slot.unsent);  // nobody else touches it until sent
    if (status == wire::channel::status::blocked) {
      poll_->modify(slot.channel.get(), events | EPOLLOUT, first_worker_token + slot.index);
      continue;
    }
    {
      const std::lock_guard lock(mutex_);
      slot.unsent = {};
    }
    poll_->modify(slot.channel.get(), events, first_worker_token + slot.index);
    if (status == wire::channel::status::ended) channel_ended(slot);
  }
}

}  // namespace brigade::detail
