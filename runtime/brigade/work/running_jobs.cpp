#include <brigade/work/running_jobs.hpp>

#include <thread>

namespace brigade::detail {
namespace {

// The word of account::running: a job's address, and whether a reader is taking a reference to it.
constexpr std::uintptr_t pinned = 1;

std::uintptr_t word_of(job_state& job) noexcept { return reinterpret_cast<std::uintptr_t>(&job); }

// Empties the word; from then on no reader takes a reference.
void clear(account& on, job_state& job) noexcept {
  std::uintptr_t expected = word_of(job);
  // release: the reader that finds it empty sees the job in the list, if it is there. acquire:
  // pairs with unpin().
  while (!on.running.compare_exchange_weak(expected, 0, std::memory_order_acq_rel,
                                           std::memory_order_relaxed)) {
    if (expected != word_of(job)) std::this_thread::yield();  // pinned: for a few instructions
    expected = word_of(job);
  }
}

}  // namespace

void running_jobs::add(job_state& job, account& on, bool fenced) noexcept {
  // relaxed: only this thread notes jobs there.
  if (on.shared() || on.running.load(std::memory_order_relaxed) != 0) {
    put_in_list(job, on.number);
    return;
  }
  job.noted_in = &on;
  // release: publishes the job to share_running().
  on.running.store(word_of(job), fenced ? std::memory_order_seq_cst : std::memory_order_release);
}

void running_jobs::put_in_list(job_state& job, unsigned at) noexcept {
  job.running_shard = static_cast<std::uint8_t>(at % shards);
  shard& mine = lists_[job.running_shard];
  const std::lock_guard lock(mine.mutex);
  job.running_previous = nullptr;
  job.running_next = mine.first;
  if (mine.first != nullptr) mine.first->running_previous = &job;
  mine.first = &job;
}

void running_jobs::move_to_list(job_state& job) noexcept {
  account& from = *job.noted_in;
  job.noted_in = nullptr;
  put_in_list(job, from.number);
  clear(from, job);  // afterwards: all() looks at the accounts first
}

void running_jobs::remove(job_state& job) noexcept {
  if (job.noted_in != nullptr) {
    clear(*job.noted_in, job);
    return;
  }
  shard& its = lists_[job.running_shard];
  const std::lock_guard lock(its.mutex);
  if (job.running_previous != nullptr) {
    job.running_previous->running_next = job.running_next;
  } else {
    its.first = job.running_next;
  }
  if (job.running_next != nullptr) job.running_next->running_previous = job.running_previous;
}

job_ref<job_state> running_jobs::share_running(account& on) noexcept {
  for (;;) {
    // acquire: see clear(). seq_cst: see add().
    std::uintptr_t word = on.running.load(std::memory_order_seq_cst);
    if (word == 0) return {};
    // acquire: sees the job as its thread noted it, which cannot end it while the word is pinned.
    if ((word & pinned) == 0 &&
        on.running.compare_exchange_weak(word, word | pinned, std::memory_order_acquire,
                                         std::memory_order_relaxed)) {
      auto found = job_ref<job_state>::share(*reinterpret_cast<job_state*>(word));
      on.running.store(word, std::memory_order_release);  // the reference comes before the end
      return found;
    }
    std::this_thread::yield();
  }
}

}  // namespace brigade::detail
