#include <brigade/work/ledger.hpp>

#include <algorithm>

namespace brigade::detail {
namespace {

constexpr std::uint64_t never = std::numeric_limits<std::uint64_t>::max();

// Which of the shared accounts this thread uses, of whatever ledger. Initial-exec: read at every
// post, in a library too.
constexpr unsigned not_chosen = account::shared_ones;
[[gnu::tls_model("initial-exec")]] constinit thread_local unsigned my_share = not_chosen;

unsigned choose_share() noexcept {
  static constinit std::atomic<unsigned> threads{0};
  // relaxed: it only spreads them.
  return threads.fetch_add(1, std::memory_order_relaxed) % account::shared_ones;
}

}  // namespace

ledger::ledger(dispatcher& of) : owner_(of) {
  for (unsigned number = 0; number < account::shared_ones; ++number) {
    accounts_.push_back(std::make_unique<account>(owner_, number));
    shared_[number] = accounts_.back().get();
    shared_[number]->in_use = true;
  }
}

account& ledger::shared() noexcept {
  if (my_share == not_chosen) my_share = choose_share();
  return *shared_[my_share];
}

account& ledger::open(executor_kind kind) noexcept {
  const std::lock_guard lock(mutex_);
  try {
    auto found = std::find_if(accounts_.begin(), accounts_.end(),
                              [](const auto& each) { return !each->in_use; });
    if (found == accounts_.end()) {
      const auto number = static_cast<unsigned>(accounts_.size());
      accounts_.push_back(std::make_unique<account>(owner_, number));
      found = accounts_.end() - 1;
    }
    (*found)->in_use = true;
    (*found)->kind = kind;
    changed_.notify_all();  // whoever waits has no wish there yet
    return **found;
  } catch (...) {
    return shared();
  }
}

void ledger::close(account& of) noexcept {
  if (of.shared()) return;
  const std::lock_guard lock(mutex_);
  of.in_use = false;
}

// --- until all has settled -----------------------------------------------------------------------

// Settling is counted last and read first, both in the one order of sequentially consistent
// operations, or one after the other on the same thread; so if the sums are equal there was a
// moment between the two readings when nothing was unsettled. From then on only outsiders could
// begin anything, and they find that the dispatcher has stopped.
//
// A shared account calls whoever waits at every job. While `left` jobs are unsettled and n workers
// have accounts, either that happens or one of these settles left / n before the last has settled.
// So whoever waits asks each to call after that many, and looks again when one does: a few dozen
// calls for a million jobs.

void ledger::settle(account& by) noexcept {
  if (by.shared()) {
    // Under the mutex, so that whoever sees nothing unsettled (also under it) may destroy this.
    const std::lock_guard lock(mutex_);
    by.settled.fetch_add(1, std::memory_order_seq_cst);
    changed_.notify_all();
    return;
  }
  // seq_cst, store then load: either wait_settled() sees the new count, or this sees its wish. Only
  // this thread writes the count, and it is joined before the dispatcher goes.
  const std::uint64_t now = by.settled.load(std::memory_order_relaxed) + 1;
  by.settled.store(now, std::memory_order_seq_cst);
  if (now >= by.call_at.load(std::memory_order_seq_cst)) call(by);
}

void ledger::call(account& by) noexcept {
  const std::lock_guard lock(mutex_);
  by.call_at.store(never, std::memory_order_relaxed);  // once; set anew under the mutex
  changed_.notify_all();
}

void ledger::take_back(account& by, executor_kind kind) noexcept {
  const std::lock_guard lock(mutex_);
  by.of[index_of(kind)].submitted.fetch_sub(1, std::memory_order_seq_cst);
  changed_.notify_all();
}

std::uint64_t ledger::begun() const noexcept {
  std::uint64_t sum = 0;
  for (const auto& each : accounts_) {
    sum += each->held.load(std::memory_order_seq_cst);
    for (const account::counts& of : each->of) {
      sum += of.submitted.load(std::memory_order_seq_cst);
    }
  }
  return sum;
}

bool ledger::wait_settled(std::optional<clock::time_point> until) {
  std::unique_lock lock(mutex_);
  std::vector<std::uint64_t> seen;
  bool done = false;
  bool in_time = true;
  for (;;) {
    seen.clear();
    std::uint64_t settled = 0;
    for (const auto& each : accounts_) {
      settled += seen.emplace_back(each->settled.load(std::memory_order_seq_cst));
    }
    const std::uint64_t left = begun() - settled;
    done = left == 0;
    if (done || !in_time) break;
    constexpr std::size_t first = account::shared_ones;  // of the workers
    const std::uint64_t workers = std::max<std::size_t>(seen.size() - first, 1);
    const std::uint64_t share = (left + workers - 1) / workers;
    bool look_again = false;
    for (std::size_t index = first; index < seen.size(); ++index) {
      account& each = *accounts_[index];
      each.call_at.store(seen[index] + share, std::memory_order_seq_cst);  // see settle()
      look_again |= each.settled.load(std::memory_order_seq_cst) >= seen[index] + share;
    }
    if (look_again) continue;
    if (until) {
      in_time = changed_.wait_until(lock, *until) == std::cv_status::no_timeout;
    } else {
      changed_.wait(lock);
    }
  }
  for (const auto& each : accounts_)
    each->call_at.store(never, std::memory_order_seq_cst);
  changed_.notify_all();  // another one who waits must ask anew
  return done;
}

executor_stats ledger::sums(executor_kind kind) const noexcept {
  const std::lock_guard lock(mutex_);
  executor_stats sum;
  for (const auto& each : accounts_) {
    const account::counts& of = each->of[index_of(kind)];
    const auto read = [](const auto& counter) {
      return counter.load(std::memory_order_relaxed);  // statistics need no order
    };
    sum.submitted += read(of.submitted);
    sum.started += read(of.started);
    sum.finished += read(of.finished);
    sum.cancelled += read(of.cancelled);
    sum.queued += read(each->purses[index_of(kind)]);
  }
  return sum;
}

}  // namespace brigade::detail
