// The conductor's work on the number and the age of workers: who is started, who has had his time,
// and what happens when starting fails.
#include <brigade/processes/conductor.hpp>

#include <algorithm>
#include <numeric>
#include <stdexcept>

#include <brigade/base/error.hpp>
#include <brigade/os/proc.hpp>
#include <brigade/processes/failure.hpp>

namespace brigade::detail {
namespace {

constexpr unsigned most_failed_boots = 3;
constexpr unsigned most_idle_deaths = 20;
constexpr std::chrono::milliseconds first_rest{20};
constexpr std::chrono::milliseconds rest_after_failures{1000};
constexpr std::chrono::milliseconds longest_rest{30000};

std::exception_ptr start_error(const boot_trouble& trouble, const task_identity& task) {
  const std::string text = describe(task) + " cannot run: " + trouble.why;
  if (!trouble.in_initializer) return std::make_exception_ptr(worker_start_failed(text, task));
  if (!trouble.cause) return std::make_exception_ptr(initializer_failed(text, task));
  try {
    std::rethrow_exception(trouble.cause);
  } catch (...) {
    try {
      std::throw_with_nested(initializer_failed(text, task));
    } catch (...) {
      return std::current_exception();
    }
  }
}

}  // namespace

void conductor::resize(unsigned workers) {
  if (workers == 0 || workers > most_worker_processes) {
    throw std::invalid_argument("a pool has 1 to " + std::to_string(most_worker_processes) +
                                " workers, not " + std::to_string(workers));
  }
  const std::lock_guard lock(mutex_);
  target_.store(workers, std::memory_order_relaxed);  // note_news() makes the conductor look
  note_news();
}

void conductor::adjust() {
  const auto now = clock::now();
  const unsigned target = worker_count();
  if (slots_.size() < target) {
    const std::lock_guard lock(mutex_);
    while (slots_.size() < target) {
      slots_.emplace_back();
      slots_.back().index = static_cast<unsigned>(slots_.size() - 1);
    }
  }
  for (worker_slot& slot : slots_) {
    {
      const std::lock_guard lock(mutex_);
      const bool too_long = slot.idle_until && now >= *slot.idle_until;
      if (!slot.idle() || !(slot.index >= target || slot.worn_out || too_long)) continue;
      slot.worn_out = true;  // from now on nobody gives it a job
    }
    retire(slot);
  }
}

void conductor::retire(worker_slot& slot) {
  close_channel(slot);
  slot.act_at.reset();
  want_end(slot, end_request::gently);
}

// Under the mutex, on any thread.
void conductor::note_task_ended(worker_slot& slot) {
  ++slot.tasks;
  if (options_.max_tasks_per_worker != 0 && slot.tasks >= options_.max_tasks_per_worker) {
    slot.worn_out = true;
  }
  if (options_.growth_limit_bytes != 0) {
    const std::uint64_t bytes = os::read_private_resident_bytes(slot.pid).value_or(0);
    if (slot.tasks == 1) slot.warm_bytes = bytes;
    if (bytes > slot.warm_bytes + options_.growth_limit_bytes) slot.worn_out = true;
  }
  note_idle(slot);
  // The conductor's thread is to replace it, to end it, or to do so after a time.
  const bool idle = slot.lent.empty();
  const bool may_end = slot.index >= worker_count() || options_.idle_timeout.count() != 0;
  if (slot.worn_out || (idle && may_end)) note_news();
}

void conductor::note_idle(worker_slot& slot) {
  if (options_.idle_timeout.count() != 0) slot.idle_until = clock::now() + options_.idle_timeout;
}

// --- start ---------------------------------------------------------------------------------------

std::size_t conductor::vacancies_to_fill() {
  const std::lock_guard lock(mutex_);
  // What keeps failing is tried again for the next task only.
  if (failures_.given_up && queue_.empty() && living() == 0) return 0;
  const std::size_t target = worker_count();
  if (options_.idle_timeout.count() == 0) return target;
  const auto coming =
      static_cast<std::size_t>(std::ranges::count_if(slots_, [](const worker_slot& slot) {
        return slot.phase == worker_phase::starting || slot.idle();
      }));
  // What was lent to a busy worker waits too: it may be behind a task without end.
  const std::size_t waiting = std::accumulate(lent_.begin(), lent_.end(), queue_.size());
  return std::min(target, waiting - std::min(waiting, coming));
}

void conductor::refill() {
  // After it was given up and with no worker left, the next task does not wait.
  if (clock::now() < rest_until_ && (living() != 0 || !failures_.given_up)) return;
  std::size_t wanted = vacancies_to_fill();
  if (wanted == 0) return;
  if (link_.phase() == supervisor_link::state::down) start_supervisor();
  if (link_.phase() != supervisor_link::state::up) return;
  const unsigned target = worker_count();
  for (worker_slot& slot : slots_) {
    if (wanted == 0 || slot.index >= target) return;
    if (slot.phase != worker_phase::none) continue;
    start_worker(slot);
    --wanted;
  }
}

void conductor::rest(std::chrono::milliseconds longest) {
  // Half of it at least; the rest by chance, so that programs that failed together do not try
  // again together.
  std::uniform_int_distribution<std::int64_t> spread(longest.count() / 2, longest.count());
  rest_until_ = clock::now() + std::chrono::milliseconds(spread(random_));
}

void conductor::initializer_threw(worker_slot& slot, std::span<const std::byte> failure) {
  slot.worn_out = true;  // its end is no news
  want_end(slot, end_request::gently);
  const std::exception_ptr cause = decode_failure(failure, {});
  give_up_starting({"the initializer of a worker failed: " + text_of(cause), true, cause});
}

void conductor::boot_failed(boot_trouble trouble) {
  if (++failures_.boots < most_failed_boots) {
    rest(first_rest * (1 << (2 * (failures_.boots - 1))));
    return;
  }
  trouble.why += "; this happened " + std::to_string(failures_.boots) + " times in a row";
  give_up_starting(trouble);
}

void conductor::idle_death(const worker_slot& slot, const os::process_end& end) {
  if (++failures_.idle_deaths >= most_idle_deaths) {
    give_up_starting({"worker process " + std::to_string(slot.pid) + " " + describe(end) +
                      " without a task, like " + std::to_string(failures_.idle_deaths - 1) +
                      " before it in a row"});
  }
}

void conductor::give_up_starting(const boot_trouble& trouble) {
  failures_.given_up = true;
  rest(std::min(rest_after_failures * (1 << std::min(failures_.rounds++, 5U)), longest_rest));
  if (living() != 0) return;  // fewer workers than wanted, but the tasks go on
  refuse_queued([&](const task_identity& task) { return start_error(trouble, task); });
}

void conductor::refuse_queued(const make_error& make) {
  // What is there now: whoever hears of a failure may mend it and submit again.
  job_queue refused;
  {
    const std::lock_guard lock(mutex_);
    while (job_state* const again = queue_.pop_again())
      refused.push_again(*again);
    while (work_item* const fresh = queue_.pop())
      refused.push(*fresh);
  }
  while (job_state* const again = refused.pop_again()) {
    again->finish(again->decide_error(make(again->identity())));
  }
  while (work_item* const fresh = refused.pop()) {
    auto& job = static_cast<job_state&>(*fresh);
    job.discard(make(job.identity()));
    job.release();
  }
}

}  // namespace brigade::detail
