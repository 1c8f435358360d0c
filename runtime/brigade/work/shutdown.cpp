// How a dispatcher stops: whom it refuses and interrupts, and until when it waits.
#include <algorithm>
#include <functional>
#include <utility>
#include <vector>

#include <brigade/work/context.hpp>
#include <brigade/work/dispatcher.hpp>

namespace brigade::detail {
namespace {

// From here on the destructor says what it waits for.
constexpr std::chrono::seconds patience{1};

}  // namespace

template <class Wanted>
void dispatcher::interrupt_running(const Wanted& wanted) {
  std::vector<job_ref<job_state>> found;
  running_.visit(ledger_, [&](job_state& job) {
    if (wanted(job)) found.push_back(job_ref<job_state>::share(job));
  });
  // Once each: a second cancellation would disturb the cleaning up after the first.
  const auto by_address = [](const auto& one, const auto& other) {
    return std::less<>()(one.get(), other.get());
  };
  std::sort(found.begin(), found.end(), by_address);
  const job_state* last = nullptr;
  for (const job_ref<job_state>& job : found) {  // outside the locks: it may finish the job
    if (std::exchange(last, job.get()) != job.get()) job->cancel();
  }
}

bool dispatcher::shutdown(shutdown_mode mode, std::optional<std::chrono::nanoseconds> limit) {
  if (const thread_context& here = context_record; here.owner == this && here.where != nullptr) {
    throw would_deadlock(
        "shutdown() was called on a worker of the same runtime and would wait for itself; call it "
        "from the thread that owns the runtime",
        {});
  }
  // seq_cst: see count_in().
  stopping_.store(true, std::memory_order_seq_cst);
  if (mode == shutdown_mode::drain) {
    interrupt_running([](job_state& job) { return job.extras() && job.extras()->endless; });
  } else {
    refuse_all_.store(true, std::memory_order_seq_cst);
    for (const auto& each : gates_)
      each->close();
    for (executor* const each : executors_) {
      if (each != nullptr) each->discard_queued();
    }
    const bool everything = mode == shutdown_mode::kill;
    // Killed before it is asked to stop: otherwise one that obeys at once would end as done.
    for (executor* const each : executors_) {
      if (everything && each != nullptr) each->kill_running();
    }
    interrupt_running([everything](job_state& job) {
      return everything || (job.extras() && job.extras()->endless);
    });
  }
  const clock::time_point now = clock::now();
  const bool forever = !limit || *limit > clock::time_point::max() - now;
  const bool settled =
      forever ? ledger_.wait_settled(std::nullopt) : ledger_.wait_settled(now + *limit);
  if (!settled) {
    overdue_.store(true, std::memory_order_relaxed);  // for before_end(), on the same thread mostly
    return false;
  }
  timers_.wait_idle();  // a callback may just have ended the last job, and still be in an executor
  return true;
}

void dispatcher::before_end() {
  if (const thread_context& here = context_record; here.owner == this && here.where != nullptr) {
    throw would_deadlock(
        "the destructor of a runtime ran on one of its own workers and would wait for itself; let "
        "the thread that made the runtime destroy it",
        {});
  }
  if (!overdue_.load(std::memory_order_relaxed)) return;
  if (ledger_.wait_settled(clock::now() + patience)) return;
  std::optional<task_identity> first;
  running_.visit(ledger_, [&](job_state& job) {
    if (!first) first = job.identity();
  });
  const task_identity task = first.value_or(task_identity{});
  report_overdue(*hooks_, task);
}

}  // namespace brigade::detail
