// What a runtime is made of below its executors: who takes a job in, counts it and lets it go.
//
// The dispatcher knows the executors only by their interface. It admits jobs through a gate per
// executor, arms their deadlines, knows which ones run so that shutdown can reach them, tells
// observers, and counts until everything has settled. Thread-safe.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <brigade/base/error.hpp>
#include <brigade/sync/timer_service.hpp>
#include <brigade/work/executor.hpp>
#include <brigade/work/gate.hpp>
#include <brigade/work/job_state.hpp>
#include <brigade/work/ledger.hpp>
#include <brigade/work/options.hpp>
#include <brigade/work/running_jobs.hpp>

namespace brigade {

class runtime;

// What is known of one task. Durations are steady-clock time points of this process.
struct task_record {
  task_identity task;
  unsigned worker = 0;
  std::chrono::steady_clock::time_point queued{};
  std::chrono::steady_clock::time_point started{};   // zero: it never started
  std::chrono::steady_clock::time_point finished{};  // zero: not yet
  std::chrono::nanoseconds cpu{};  // of the thread, while an observer is registered; else zero
  bool failed = false;             // the outcome is an error
};

// Told about every task. Called on the thread where it happens: be short, do not throw.
class observer {
 public:
  virtual ~observer() = default;
  virtual void on_queued(const task_record& /*task*/) noexcept {}
  virtual void on_started(const task_record& /*task*/) noexcept {}
  virtual void on_finished(const task_record& /*task*/) noexcept {}
};

// A task kept the event loop from turning.
struct blocked_loop {
  task_identity task;
  std::chrono::milliseconds lasted{};
};

// Work waits, and for a long time no worker of that executor has taken any.
struct starving_queue {
  executor_kind executor = executor_kind::threads;
  std::size_t queued = 0;              // tasks that wait to start, coroutines that wait to go on
  std::chrono::milliseconds oldest{};  // has waited for so long, at least
  unsigned workers = 0;                // that are busy
  unsigned blocked = 0;                // and others, blocked in get() or wait()
  std::string_view cure = {};
};

struct hooks {
  // A posted task or a dropped future failed, or the destructor of the runtime waits for a task
  // that has outlived the limit of shutdown() (task_timeout). Default: one line on stderr.
  std::function<void(const task_identity&, std::exception_ptr)> on_error = {};
  // Default: one line on stderr.
  std::function<void(const blocked_loop&)> on_blocked_loop = {};
  // See threads_options::starving_after; on the runtime's timer thread. Default: nobody looks.
  std::function<void(const starving_queue&)> on_starving_queue = {};
  // Called on the worker's own thread (for processes: in this process, when it is ready or gone).
  std::function<void(const worker_info&)> on_worker_start = {};
  std::function<void(const worker_info&)> on_worker_stop = {};
  std::vector<std::shared_ptr<observer>> observers = {};
};

enum class shutdown_mode : std::uint8_t {
  drain,           // everything submitted still runs; endless tasks are asked to stop
  cancel_pending,  // queued tasks are cancelled, running ones end by themselves
  kill,            // queued tasks are cancelled, running ones asked to stop, processes killed
};

namespace detail {

// Never throws; what a hook throws is reported on stderr.
void report_error(const hooks& to, const task_identity& task, std::exception_ptr error) noexcept;
void report_blocked_loop(const hooks& to, const blocked_loop& report) noexcept;
void report_starving_queue(const hooks& to, const starving_queue& report) noexcept;
// A runtime that is being destroyed waits for a task that outlived the limit of shutdown().
void report_overdue(const hooks& to, const task_identity& task) noexcept;

class reactor;

struct queue_policy {
  std::size_t max_pending = std::size_t{1} << 20;
  brigade::when_full when_full = brigade::when_full::wait;
};

class dispatcher {
 public:
  dispatcher(hooks hooks, std::array<queue_policy, all_executors.size()> policies);
  dispatcher(const dispatcher&) = delete;
  dispatcher& operator=(const dispatcher&) = delete;
  // Precondition: shutdown() returned true, or nothing was submitted.
  ~dispatcher();

  // Whether there is a dispatcher at that address. For outcomes that outlive theirs.
  [[nodiscard]] static bool is_alive(const dispatcher* one) noexcept;

  // Called by the runtime while it is built; the executor outlives the last job.
  void attach(executor& where) noexcept { executors_[index_of(where.kind())] = &where; }
  [[nodiscard]] executor& at(executor_kind kind) const noexcept {
    return *executors_[index_of(kind)];
  }
  [[nodiscard]] timer_service& timers() noexcept { return timers_; }
  [[nodiscard]] const hooks& callbacks() const noexcept { return *hooks_; }
  [[nodiscard]] const std::shared_ptr<const hooks>& shared_hooks() const noexcept { return hooks_; }
  [[nodiscard]] gate& gate_of(executor_kind kind) noexcept { return *gates_[index_of(kind)]; }

  // Facts of upper floors that free functions look up from here.
  void set_facade(runtime* facade) noexcept { facade_ = facade; }
  [[nodiscard]] runtime* facade() const noexcept { return facade_; }
  void set_reactor(reactor* io) noexcept { reactor_ = io; }
  [[nodiscard]] reactor* io() const noexcept { return reactor_; }

  // --- submission ------------------------------------------------------------------------------
  // Prepares a fresh job for `where`: identity, options, and a place among the unsettled. Throws
  // runtime_stopped, but not while draining when the job follows from an earlier one. One that
  // follows is not prepared by its executor: see executor::prepare_follower().
  // The first form is for a job without options.
  void adopt(job_state& job, executor_kind where);
  void adopt(job_state& job, executor_kind where, submit_options& options, bool follows = false);
  // Passes the gate and posts. Throws queue_full, runtime_stopped; a would_deadlock goes into the
  // job's outcome. Takes over one reference on success and on failure.
  void submit(job_state& job);
  void submit(job_state& job, const submit_options& options);
  // Posts a job that has passed the gate already. Takes over one reference.
  void enqueue(job_state& job) noexcept;
  // Posts a job that follows from an earlier one: never blocks. Takes over one reference.
  void enqueue_follower(job_state& job) noexcept;
  // An adopted job that will not be submitted after all: its outcome becomes `error`.
  void give_up(job_state& job, std::exception_ptr error) noexcept;

  // --- told by jobs ------------------------------------------------------------------------------
  void body_started(job_state& job) noexcept;
  void body_suspends(job_state& job) noexcept { running_.keep_listed(job); }
  // What ends a body: these two, with the account of the calling thread.
  void body_finished(job_state& job, account& books) noexcept;
  void job_settled(account& books) noexcept { ledger_.settle(books); }
  void body_discarded(job_state& job) noexcept;
  void job_settled() noexcept { ledger_.settle(mine()); }
  // Something that will submit a follower counts as unsettled until job_settled().
  void hold() noexcept { ledger_.shared().held.fetch_add(1, std::memory_order_seq_cst); }

  // --- told by workers ---------------------------------------------------------------------------
  // The account of the calling thread.
  [[nodiscard]] account& mine() noexcept;
  [[nodiscard]] account& open_account(executor_kind kind) noexcept { return ledger_.open(kind); }
  void close_account(account& of) noexcept;

  // Which running task that address belongs to: of its job, its coroutine_root, or the item that
  // resumes it. The address is only compared: whatever it was may be gone. nullopt: of none.
  [[nodiscard]] std::optional<task_identity> running_task(const void* address);

  [[nodiscard]] bool observed() const noexcept { return observed_; }

  // --- shutdown ----------------------------------------------------------------------------------
  // Stops taking tasks and waits until all have ended, `limit` at most. Returns whether they have.
  // Idempotent; a stronger mode may follow a weaker one. Throws would_deadlock on a worker.
  bool shutdown(shutdown_mode mode, std::optional<std::chrono::nanoseconds> limit);
  // Before the last, unlimited shutdown(): when an earlier one ran into its limit, tells the error
  // hook which task is waited for. Throws would_deadlock on a worker.
  void before_end();
  [[nodiscard]] bool stopped() const noexcept {
    return stopping_.load(std::memory_order_acquire);  // pairs with shutdown()
  }

  [[nodiscard]] executor_stats stats(executor_kind kind) const noexcept;
  void count_worker(executor_kind kind, bool lost) noexcept;

 private:
  struct counters {
    std::atomic<std::uint64_t> workers_started{0}, workers_lost{0};
  };

  // The account's own purse for that gate, or null.
  [[nodiscard]] gate::purse* purse_for(executor_kind kind, account& books) noexcept;
  [[nodiscard]] bool try_enter(executor_kind kind) noexcept;
  void count_in(job_state& job, executor_kind where, bool follows);
  [[nodiscard]] bool refuses(bool follows) const noexcept;
  [[noreturn]] void refuse(const job_state& job) const;
  void keep(job_state& job, submit_options& options);
  void arm(job_state& job, submit_options& options);
  void wait_for_room(job_state& job, std::optional<brigade::when_full> when_full);
  void submit(job_state& job, std::optional<brigade::when_full> when_full, bool known);
  template <class Wanted>
  void interrupt_running(const Wanted& wanted);
  void notify(void (observer::*event)(const task_record&) noexcept, const job_state& job) noexcept;

  std::shared_ptr<const hooks> hooks_;
  const bool observed_;
  std::array<executor*, all_executors.size()> executors_{};
  std::array<std::unique_ptr<gate>, all_executors.size()> gates_;
  std::array<queue_policy, all_executors.size()> policies_;
  std::array<counters, all_executors.size()> counters_;
  runtime* facade_ = nullptr;
  reactor* reactor_ = nullptr;
  std::atomic<bool> stopping_{false};
  std::atomic<bool> refuse_all_{false};
  std::atomic<bool> overdue_{false};  // a shutdown() ran into its limit
  ledger ledger_{*this};
  running_jobs running_;
  timer_service timers_;
};

}  // namespace detail
}  // namespace brigade
