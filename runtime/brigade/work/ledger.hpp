// The counts of a dispatcher, kept so that workers write no cache line of another: an account each.
//
// A worker thread has an account to itself and adds to it with plain stores; all other threads
// share a few and add with read-modify-writes. Who wants to know reads them all. The difference of
// what was begun and what has settled is how many jobs shutdown() has to wait for.
#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include <brigade/base/executor_kind.hpp>
#include <brigade/sync/timer_heap.hpp>
#include <brigade/work/executor.hpp>

namespace brigade::detail {

class dispatcher;
class job_state;

// 128: processors fetch lines in pairs.
struct alignas(128) account {
  static constexpr unsigned shared_ones = 8;

  struct counts {
    std::atomic<std::uint64_t> submitted{0}, started{0}, finished{0}, cancelled{0};
  };

  explicit account(dispatcher& of, unsigned at) noexcept : owner(&of), number(at) {}

  // Statistics are relaxed: what they must not come after is ordered by what follows them.
  void add(std::atomic<std::uint64_t>& counter) noexcept {
    if (shared()) {
      counter.fetch_add(1, std::memory_order_relaxed);
    } else {
      counter.store(counter.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    }
  }
  [[nodiscard]] bool shared() const noexcept { return number < shared_ones; }

  dispatcher* const owner;
  const unsigned number;  // the first ones are shared
  executor_kind kind = executor_kind::threads;
  bool in_use = false;  // under the ledger's mutex
  std::array<counts, all_executors.size()> of;
  std::atomic<std::uint64_t> held{0};  // begun without being submitted
  std::atomic<std::uint64_t> settled{0};
  std::atomic<std::uint64_t> call_at{std::numeric_limits<std::uint64_t>::max()};  // see ledger.cpp
  // The job that runs on this thread, unless it is in the list of running_jobs.
  std::atomic<std::uintptr_t> running{0};
  // Places that were taken from the gates in advance; a worker's own only for its kind.
  std::array<std::atomic<std::uint32_t>, all_executors.size()> purses{};
};

class ledger {
 public:
  explicit ledger(dispatcher& of);
  ledger(const ledger&) = delete;
  ledger& operator=(const ledger&) = delete;

  // An account for the calling thread until close(); a shared one when there is no memory.
  [[nodiscard]] account& open(executor_kind kind) noexcept;
  void close(account& of) noexcept;
  // The one that the calling thread shares with others.
  [[nodiscard]] account& shared() noexcept;

  // The last that a job does: afterwards only a worker's thread may touch the dispatcher.
  void settle(account& by) noexcept;
  // A job that was counted as submitted has been refused after all.
  void take_back(account& by, executor_kind kind) noexcept;
  // Waits until all that was begun has settled. Returns whether it has.
  [[nodiscard]] bool wait_settled(std::optional<clock::time_point> until);

  // submitted, started, finished, cancelled; and of `queued` the part that purses hold in excess.
  [[nodiscard]] executor_stats sums(executor_kind kind) const noexcept;

  template <class Act>
  void for_each(const Act& act) {
    const std::lock_guard lock(mutex_);
    for (const auto& each : accounts_)
      act(*each);
  }

 private:
  [[nodiscard]] std::uint64_t begun() const noexcept;
  void call(account& by) noexcept;

  dispatcher& owner_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::unique_ptr<account>> accounts_;  // the shared ones first; they only get more
  std::array<account*, account::shared_ones> shared_;
};

}  // namespace brigade::detail
