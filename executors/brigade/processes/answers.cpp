// What comes from the workers: answers, read by whoever has the right to, and deaths, judged by the
// conductor's thread.
#include <brigade/processes/conductor.hpp>

#include <algorithm>
#include <string>

#include <brigade/base/error.hpp>
#include <brigade/codec/codec.hpp>
#include <brigade/codec/exception.hpp>
#include <brigade/os/memfd.hpp>
#include <brigade/processes/call_cargo.hpp>
#include <brigade/processes/death.hpp>
#include <brigade/processes/poll_tokens.hpp>
#include <brigade/processes/reading_right.hpp>
#include <brigade/work/transport.hpp>

namespace brigade::detail {
namespace {

using standing = wire::host_lane::standing;

constexpr unsigned most_lost_in_decoding = 3;
constexpr std::size_t most_at_once = 32;
// Between the end of a worker's channel and the report of its end.
constexpr std::chrono::milliseconds report_limit{200};

std::exception_ptr lost_error(const job_state& job, const worker_slot& slot,
                              const os::process_end& end, bool started) {
  const task_identity task = job.identity();
  worker_death death = death_of(slot, end, started);
  std::string text = describe(task) + " lost its worker: process " + std::to_string(slot.pid) +
                     " " + describe(death, slot);
  const unsigned attempt = job.attempt();
  const std::string which =
      attempt > 1 ? ", in its attempt " + std::to_string(attempt) + ", the last" : "";
  text += started ? " while the task ran" + which +
                        "; the pool has replaced it. Look for the fault in the task" +
                        (attempt > 1 ? ""
                                     : ", or let it be tried again with .idempotent = true and "
                                       ".retries")
                  : " before the task had begun, as others did with it: decoding its arguments "
                    "ends the process";
  return std::make_exception_ptr(worker_lost(text, task, std::move(death)));
}

// As the worker says: what the host sees between two answers contains its own delay, and it would
// give ever less in advance to a worker that has to be woken for each task.
void note_time(worker_slot& slot, std::uint32_t took_ns) noexcept {
  const std::int64_t each = std::max<std::int64_t>(took_ns, 1);
  slot.service_ns = slot.service_ns == 0 ? each : (3 * slot.service_ns + each) / 4;
}

}  // namespace

// --- the channel ---------------------------------------------------------------------------------

void conductor::receive(worker_slot& slot) {
  if (!slot.channel || slot.channel_ended) return;
  for (;;) {
    wire::arrived_frame frame;
    try {
      switch (slot.channel.try_receive(frame)) {
        case wire::channel::status::done:
          on_frame(slot, frame);
          break;
        case wire::channel::status::blocked:
          return;
        case wire::channel::status::ended:
          channel_ended(slot);
          return;
      }
    } catch (const std::exception&) {  // it sent what is no frame: nothing of it can be trusted
      channel_ended(slot);
      slot.act_at.reset();
      want_end(slot, end_request::kill);
      return;
    }
  }
}

void conductor::channel_ended(worker_slot& slot) {
  // It has died, and the supervisor is about to say how; or the task has closed the descriptor.
  poll_->remove(slot.channel.get());
  const std::lock_guard lock(mutex_);
  slot.channel_ended = true;
  slot.act_at = clock::now() + report_limit;
}

void conductor::on_frame(worker_slot& slot, const wire::arrived_frame& frame) {
  switch (frame.header.kind) {
    case wire::frame_kind::ready:
      on_ready(slot, frame);
      return;
    case wire::frame_kind::answer:
      on_large_answer(slot, frame);
      return;
    case wire::frame_kind::look:
      return;  // answers are read in every round
    default:
      throw codec_error("a worker sent a frame that only the host sends");
  }
}

void conductor::on_ready(worker_slot& slot, const wire::arrived_frame& frame) {
  const hello greeting = decode_hello(frame.body);
  const std::string objection = objection_to(greeting, options_.worker_program.empty());
  if (!objection.empty()) {
    want_end(slot, end_request::kill);
    if (living() != 0) return;
    refuse_queued([&](const task_identity& task) {
      return std::make_exception_ptr(
          build_mismatch(describe(task) + " cannot run: " + objection, task));
    });
    return;
  }
  if (!greeting.failure.empty()) {
    initializer_threw(slot, greeting.failure);
    return;
  }
  slot.greeted = true;
  if (slot.pidfd) become_ready(slot);
}

// --- answers -------------------------------------------------------------------------------------

// A job that has been answered, or was taken back for an interruption, with what is needed when the
// mutex has been let go.
struct conductor::finished_call {
  job_state* job = nullptr;
  wire::host_lane* lane = nullptr;
  wire::host_lane::answer answer;
  bool decided = false;
  bool came_back = false;
  std::array<std::byte, wire::slot_body_bytes> copy;
};

bool conductor::any_answer() const noexcept {
  return std::ranges::any_of(slots_, [](const worker_slot& slot) {
    return slot.job != nullptr && !slot.on_its_way &&
           (slot.came_back ||
            (!slot.by_message && slot.lane->look(slot.call) == standing::answered));
  });
}

bool conductor::take_answer(worker_slot& slot, finished_call& to) {
  if (slot.job == nullptr || slot.on_its_way) return false;
  to.came_back = slot.came_back;
  if (!slot.came_back) {
    const standing seen = slot.lane->look(slot.call);
    const auto answer = seen == standing::answered ? slot.lane->read(slot.call) : std::nullopt;
    if (seen == standing::nonsense || (seen == standing::answered && !answer)) {
      if (slot.wanted != end_request::kill) note_news();
      slot.wanted = end_request::kill;
    }
    if (!answer) return false;
    if (answer->message.place == wire::body_place::message) {
      slot.by_message = true;  // it comes as a frame
      return false;
    }
    to.answer = *answer;
    if (answer->message.place == wire::body_place::slot) {
      std::ranges::copy(answer->body, to.copy.begin());
      to.answer.body = std::span(to.copy).first(answer->body.size());
    }
  }
  to.job = slot.job;
  to.lane = slot.lane.get();
  to.decided = slot.decided;
  return true;
}

// The next job of the worker comes to the head.
void conductor::promote(worker_slot& slot, clock::time_point now,
                        std::vector<promoted_job>& promoted) {
  slot.job = nullptr;
  slot.came_back = slot.by_message = slot.decided = slot.kill_disobedient = false;
  slot.cause = disturbance::none;
  slot.obey_before.reset();
  --busy_;
  if (slot.lent.empty()) return;
  const lent_job next = slot.lent.front();
  slot.lent.pop_front();
  --lent_[static_cast<std::size_t>(next.job->level)];
  if (!next.started) next.job->start_lent();
  slot.job = next.job;
  slot.call = next.call;
  slot.head_since = now;
  ++busy_;
  if (call_cargo& cargo = cargo_of(*next.job); !cargo.counted) {
    cargo.counted = true;
    promoted.push_back({next.job, slot.index});
  }
  if (next.pending != disturbance::none) interrupt_head(slot, next.pending);
}

bool conductor::read_some(locked& lock) {
  std::array<finished_call, most_at_once> batch;
  std::size_t count = 0;
  std::vector<promoted_job> promoted;
  const clock::time_point now = clock::now();
  for (worker_slot& slot : slots_) {
    while (count < batch.size() && take_answer(slot, batch[count])) {
      const finished_call& ended = batch[count++];
      if (!ended.came_back) {
        note_task_ended(slot);
        note_time(slot, ended.answer.message.flags);
      }
      promote(slot, now, promoted);
    }
  }
  if (!promoted.empty()) {  // before others start
    lock.unlock();
    for (const promoted_job& each : promoted)
      each.job->start_elsewhere(each.worker);
    lock.lock();
  }
  feed(lock, now);
  if (count == 0) return false;
  lock.unlock();
  for (finished_call& each : std::span(batch).first(count))
    settle(each);
  lock.lock();
  return true;
}

void conductor::read_answers(const job_state* awaited) {
  locked lock(mutex_);
  while (read_some(lock) && (awaited == nullptr || !awaited->ready())) {
  }
}

void conductor::settle(finished_call& call) {
  job_state& job = *call.job;
  if (call.came_back) {
    const bool decided = job.decide_error(cancelled_error(job, " was cancelled before it ran"));
    job.finish(decided || call.decided);
    return;
  }
  progress_.store(true, std::memory_order_relaxed);  // a hint
  job.add_cpu_time(std::chrono::nanoseconds(call.answer.message.number));
  const task_identity task = job.identity();
  bool decided = call.decided;
  try {
    codec::reader in(call.answer.body, {.about_to_fill = os::about_to_fill});
    if (call.answer.message.kind == wire::message_kind::result) {
      decided = job.remote()->accept(job, in) || decided;
    } else {
      std::exception_ptr failure = codec::decode_exception(in, task);
      if (job.take_attempt() && queue_again(job)) {
        call.lane->let_go(call.answer);
        return;
      }
      decided = job.decide_error(about(task, failure)) || decided;
    }
  } catch (...) {
    decided = job.decide_error(about(task, std::current_exception())) || decided;
  }
  call.lane->let_go(call.answer);
  job.finish(decided);
}

void conductor::on_large_answer(worker_slot& slot, const wire::arrived_frame& frame) {
  const reading_right right(*this);
  read_answers();  // what was answered before it
  finished_call call;
  std::vector<promoted_job> promoted;
  {
    const std::lock_guard lock(mutex_);
    if (slot.job == nullptr || frame.header.call != slot.call) return;
    const auto answer = slot.lane->read(slot.call);
    if (slot.lane->look(slot.call) != standing::answered || !answer) {
      slot.wanted = end_request::kill;
      return;
    }
    call.job = slot.job;
    call.lane = slot.lane.get();
    call.decided = slot.decided;
    call.answer = {answer->message, frame.body, {}};
    note_task_ended(slot);
    promote(slot, clock::now(), promoted);
  }
  for (const promoted_job& each : promoted)
    each.job->start_elsewhere(each.worker);
  settle(call);
}

// --- deaths --------------------------------------------------------------------------------------

bool conductor::queue_again(job_state& job) {
  const std::lock_guard lock(mutex_);
  if (job.stop_requested()) return false;  // interrupt() came while nobody held the job
  queue_.push_again(job);
  return true;
}

void conductor::judge_death(worker_slot& slot, const os::process_end& end) {
  for (;;) {
    {
      const std::lock_guard lock(mutex_);
      reclaim_all_lent(slot);  // what the worker has not taken may still run elsewhere
      if (slot.on_its_way) {   // whoever is about to send it will find out
        slot.on_its_way = false;
        slot.choice = 0;
        slot.job = nullptr;
        --busy_;
      }
      if (slot.job == nullptr) return;
    }
    judge_head(slot, end);
  }
}

void conductor::judge_head(worker_slot& slot, const os::process_end& end) {
  job_state* job = nullptr;
  bool decided = false;
  disturbance cause = disturbance::none;
  standing seen = standing::nonsense;
  std::vector<promoted_job> promoted;
  {
    const std::lock_guard lock(mutex_);
    job = slot.job;
    decided = slot.decided;
    cause = slot.cause;
    seen = slot.lane->look(slot.call);
    promote(slot, clock::now(), promoted);
  }
  for (const promoted_job& each : promoted)
    each.job->start_elsewhere(each.worker);
  const bool taken = seen != standing::waiting;
  const bool started = taken && seen != standing::taken;
  if (taken) failures_.reset();
  if (cause == disturbance::none) {
    const bool again = started ? job->take_attempt()
                       : taken ? ++cargo_of(*job).lost_in_decoding < most_lost_in_decoding
                               : true;
    if (again && queue_again(*job)) {
      if (!taken) idle_death(slot, end);
      return;
    }
  }
  if (cause != disturbance::none || job->stop_requested()) {
    const task_identity task = job->identity();
    decided = job->decide_error(std::make_exception_ptr(task_cancelled(
                  describe(task) + " was cancelled while it ran; its worker process " +
                      std::to_string(slot.pid) + " " + describe(end),
                  task))) ||
              decided;
  } else {
    decided = job->decide_error(lost_error(*job, slot, end, started)) || decided;
  }
  job->finish(decided);
}

}  // namespace brigade::detail
