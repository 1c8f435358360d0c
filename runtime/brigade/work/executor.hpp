// The interface of an executor: one virtual door for work, and what only an executor can do.
//
// Implemented by loop_executor, threads_executor and processes_executor. Owned by the runtime,
// which outlives every job that it posts. All members are thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <brigade/base/executor_kind.hpp>
#include <brigade/sync/timer_heap.hpp>
#include <brigade/work/work_item.hpp>

namespace brigade::codec {
class writer;
}  // namespace brigade::codec

namespace brigade {

// One worker: a thread of this process, or another process.
struct worker_info {
  executor_kind executor = executor_kind::threads;
  unsigned index = 0;  // 0, 1, ... within its executor
  std::string name;
  int pid = 0;
  int tid = 0;  // of the thread that runs tasks
  // Of a worker process, how it really came to be: "spawn" where a fork was asked for means that
  // the supervisor has threads of its own (a library's static constructors, a preload).
  std::string_view start_method = {};
};

// Counters since the start of the runtime.
struct executor_stats {
  std::uint64_t submitted = 0;  // accepted by submit, post, map and their kin
  std::uint64_t started = 0;
  std::uint64_t finished = 0;   // bodies that ended, in whatever way
  std::uint64_t cancelled = 0;  // ended before they started
  std::uint64_t queued = 0;     // right now
  std::uint64_t workers_started = 0;
  std::uint64_t workers_lost = 0;  // processes only: died without being asked to
};

namespace detail {

class job_state;
class coroutine_root;
class dispatcher;

// Why a running job is disturbed.
enum class interruption : std::uint8_t {
  cancelled,  // future::cancel, the stop token of .stop, a sibling's failure, shutdown
  deadline,   // its .deadline passed; the future has already failed
};

class executor {
 public:
  executor(executor_kind kind, dispatcher& owner) noexcept : kind_(kind), owner_(&owner) {}
  executor(const executor&) = delete;
  executor& operator=(const executor&) = delete;
  virtual ~executor() = default;

  [[nodiscard]] executor_kind kind() const noexcept { return kind_; }
  [[nodiscard]] dispatcher& owner() const noexcept { return *owner_; }
  // Whether the calling thread is a worker of this executor.
  [[nodiscard]] bool on_worker() const noexcept;

  // Called once for a job that will be posted here, while nobody else knows it: no timer, no
  // cancellation. The time to encode it; one that cannot be is discarded and will not be posted.
  virtual void prepare(job_state& /*job*/) noexcept {}

  // The same for a continuation, once its source has a value: `write` encodes callable and
  // arguments. It has been known for long, so it may end meanwhile and its payload go. Returns
  // false when it has ended or was discarded here: then it is not to be posted.
  [[nodiscard]] virtual bool prepare_follower(
      job_state& /*job*/, const std::function<void(codec::writer&)>& /*write*/) noexcept {
    return true;
  }

  // The one door. Starts workers on first use. Never blocks for room: the dispatcher's gate has
  // counted the item. A job that cannot be accepted (no worker can be started, its arguments
  // cannot be encoded) is failed, not thrown about.
  virtual void post(work_item& item) noexcept = 0;

  // A job of this executor that is running should end; its stop token has been signalled and the
  // wait of its coroutine cancelled. Processes escalate to signals here.
  virtual void interrupt(job_state& /*job*/, interruption /*why*/) noexcept {}

  // Ends a running job by force. Returns whether it could: only processes can.
  virtual bool kill(job_state& /*job*/) noexcept { return false; }

  // A job that this executor has lent is to be cancelled, or is late. Returns false when it has
  // started; true when it is queued again, and whoever asks may try again.
  virtual bool take_back(job_state& /*job*/) noexcept { return false; }

  // Cancels the current wait of a coroutine that lives here, on the thread where that is safe.
  virtual void cancel_wait(coroutine_root& root) noexcept;

  // Sleeps of coroutines that live here. By default the dispatcher's timer service.
  virtual void add_timer(timer_node& node, clock::time_point deadline);
  virtual bool cancel_timer(timer_node& node) noexcept;

  // A worker of this executor is about to block until `awaited` is ready or, when given, until
  // `deadline`. Blocks it in the way that suits: may run other work meanwhile. Throws
  // would_deadlock when nothing else could ever make `awaited` ready.
  virtual void wait_on_worker(job_state& awaited, std::optional<clock::time_point> deadline);

  // A thread that is no worker is about to block until a job of this executor is ready or the
  // deadline has passed. It may help on the way.
  virtual void wait_outside(job_state& awaited, std::optional<clock::time_point> deadline);

  // From now on queued items are discarded instead of run.
  virtual void discard_queued() noexcept = 0;
  // Ends running jobs by force where that is possible (processes).
  virtual void kill_running() noexcept {}
  // Ends and joins all workers. Precondition: every job has finished. Idempotent.
  virtual void join() noexcept = 0;

  // Changes how many workers there are. Returns false where that is fixed.
  virtual bool resize(unsigned /*workers*/) { return false; }
  [[nodiscard]] virtual unsigned worker_count() const noexcept = 0;
  [[nodiscard]] virtual std::vector<worker_info> workers() const = 0;

 private:
  executor_kind kind_;
  dispatcher* owner_;
};

}  // namespace detail
}  // namespace brigade
