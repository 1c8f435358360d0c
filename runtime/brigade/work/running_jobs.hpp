// Which jobs run right now, for whoever must reach them: shutdown, and the watch of a blocked loop.
//
// A job that starts on a worker is noted in that worker's account, which costs it one atomic
// operation. Only when its coroutine suspends, or when another job starts on top of it, does it (or
// the one on top) go into a list under a lock. Thread-safe.
#pragma once

#include <array>
#include <mutex>
#include <utility>
#include <vector>

#include <brigade/work/job_state.hpp>
#include <brigade/work/ledger.hpp>

namespace brigade::detail {

class running_jobs {
 public:
  // On the thread that has the account. `fenced`: before any later look at a flag whose setter
  // looks at the running jobs afterwards.
  void add(job_state& job, account& on, bool fenced) noexcept;
  // The coroutine of a running job is about to suspend. On the thread that runs it.
  void keep_listed(job_state& job) noexcept {
    if (job.noted_in != nullptr) move_to_list(job);
  }
  // On the thread that ends the body.
  void remove(job_state& job) noexcept;

  // Calls act(job) with every job that runs all the while; with others perhaps, with some twice.
  // The job exists during the call, in which a lock is held: look and take a reference, no more.
  template <class Act>
  void visit(ledger& accounts, const Act& act) {
    std::vector<job_ref<job_state>> noted;  // let go of outside the lock: that may end a job
    accounts.for_each([&](account& each) {  // before the lists: jobs move from here to there
      if (job_ref<job_state> job = share_running(each)) noted.push_back(std::move(job));
    });
    for (const job_ref<job_state>& job : noted) act(*job);
    for (shard& each : lists_) {
      const std::lock_guard lock(each.mutex);
      for (job_state* job = each.first; job != nullptr; job = job->running_next) act(*job);
    }
  }

 private:
  static constexpr unsigned shards = 16;
  struct shard {
    std::mutex mutex;
    job_state* first = nullptr;
  };

  // A reference to what runs on that thread; null when nothing does.
  [[nodiscard]] static job_ref<job_state> share_running(account& on) noexcept;
  void put_in_list(job_state& job, unsigned at) noexcept;
  void move_to_list(job_state& job) noexcept;

  std::array<shard, shards> lists_;
};

}  // namespace brigade::detail
