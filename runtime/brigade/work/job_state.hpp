// The type-erased half of a task: its body's life cycle and its future's state in one object.
//
// A job is one allocation that holds callable, arguments, result and the waiter. It has a body
// (queued -> running -> finished) and an outcome (pending -> claimed -> ready) that move apart: a
// deadline makes the outcome ready while the body still runs. Each is decided by one atomic
// read-modify-write, so every future completes exactly once and no body runs twice.
//
// Reference counted: the future, the executor's queue, the running body and each armed timer hold
// one reference. Thread-safe unless a member says otherwise.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <new>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <typeinfo>
#include <utility>

#include <brigade/base/error.hpp>
#include <brigade/memory/blocks.hpp>
#include <brigade/os/futex.hpp>
#include <brigade/work/executor.hpp>
#include <brigade/work/work_item.hpp>

namespace brigade {

struct hooks;

namespace detail {

class coroutine_root;
struct account;
struct remote_call;

// Told once, on the completing thread, that an outcome is ready. Must be short: it may schedule
// work, never run a task.
struct continuation {
  void (*notify)(continuation&) noexcept = nullptr;
};

// What few jobs need, allocated only for them.
struct job_extras {
  std::string name;
  unsigned attempts_left = 0;
  unsigned attempt = 1;  // the one that is under way
  bool idempotent = false;
  bool endless = false;
  std::chrono::nanoseconds deadline_after{};
  struct armed_timer : timer_node {
    job_state* job = nullptr;  // holds a reference while armed
  };
  armed_timer deadline;
  armed_timer queue_deadline;
  struct request_cancel {
    job_state* job;  // no reference: the callback is destroyed before the job
    void operator()() const noexcept;
  };
  std::optional<std::stop_callback<request_cancel>> on_stop;
  // A deadline or a stop may end the job while its other timers are still being armed: whoever
  // comes second, dispatcher::arm() or the end of the body, disarms.
  enum class arming : std::uint8_t { going_on, done, ended };
  std::atomic<arming> armed{arming::going_on};
};

// What an executor packs for a job that will leave this process (its encoded arguments); it goes
// when callable and arguments go.
struct cargo {
  cargo() = default;
  cargo(const cargo&) = delete;
  cargo& operator=(const cargo&) = delete;
  virtual ~cargo() = default;
};

struct job_times {
  clock::time_point queued{};
  clock::time_point started{};
  clock::time_point finished{};
};

// What is measured of a job that somebody may ask about, see timed. Read by others while it
// changes: relaxed atomics.
struct job_clocks {
  std::atomic<clock::rep> queued_at{0};
  std::atomic<clock::rep> started_at{0};
  std::atomic<unsigned> worker{0};
  std::atomic<clock::rep> finished_at{0};
  std::atomic<std::int64_t> cpu_time{0};
};

class job_state : public work_item, public in_blocks {
 public:
  // lent: still queued for everybody, but its executor has to be asked for it (a worker process has
  // it in a queue of its own).
  enum class body : std::uint8_t { queued, lent, running, finished };

  job_state(const job_state&) = delete;
  job_state& operator=(const job_state&) = delete;

  void retain() noexcept { references_.fetch_add(1, std::memory_order_relaxed); }  // caller has one
  void release() noexcept;

  // --- outcome ---------------------------------------------------------------------------------
  [[nodiscard]] bool ready() const noexcept;
  // True for exactly one caller, who must store the outcome and publish it.
  [[nodiscard]] bool claim_outcome() noexcept;
  // The same for the body of a job, which has a rival only when there is a deadline.
  [[nodiscard]] bool claim_by_body() noexcept { return !extras_ || claim_outcome(); }
  void publish() noexcept;
  // claim, store, publish. Returns whether this call decided the outcome.
  bool fail(std::exception_ptr error) noexcept;
  // claim, store; whoever ends the body publishes. Returns whether this call decided the outcome.
  bool decide_error(std::exception_ptr error) noexcept;
  // The error of a ready outcome; null when it is a value. Precondition: ready().
  [[nodiscard]] virtual std::exception_ptr failure() const noexcept = 0;
  // Moves it out, for the one consumer.
  [[nodiscard]] virtual std::exception_ptr take_error() noexcept = 0;

  // Registers the one continuation; returns false (and registers nothing) when already ready.
  // Throws std::logic_error when another one is registered.
  bool set_continuation(continuation& next);
  // Returns false when the continuation has been or is being notified.
  bool remove_continuation(continuation& next) noexcept;

  // Blocks the calling thread; on a worker, in the way of its executor.
  void wait();
  // Returns whether the outcome is ready.
  bool wait_until(clock::time_point deadline);
  // Blocks the thread whoever it is. Returns whether the outcome is ready.
  bool sleep_until_ready(std::optional<clock::time_point> deadline) noexcept;

  // The future was dropped: from now on a failure goes to the error hook. Releases a reference.
  void abandon() noexcept;

  // Sleeps once, until the outcome is ready or one of the other words changes; the first of
  // `words` is for this and is filled in. nullopt: the kernel cannot. False: the deadline passed.
  std::optional<bool> sleep_beside(std::span<os::futex_watch> words,
                                   std::optional<clock::time_point> deadline) noexcept;

  // --- body ------------------------------------------------------------------------------------
  [[nodiscard]] body phase() const noexcept;
  // Whether it waits in its executor's queue (a continuation that waits for its source does not).
  [[nodiscard]] bool enqueued() const noexcept {
    return counted_.load(std::memory_order_acquire);  // pairs with dispatcher::enqueue()
  }
  // queued -> running; true for exactly one caller, which gets the body's reference by retain().
  [[nodiscard]] bool try_start() noexcept;
  // For executors that lend, under their lock: queued -> lent, false when it was cancelled;
  // lent -> queued; lent -> running.
  [[nodiscard]] bool try_lend() noexcept;
  void end_loan() noexcept;
  void start_lent() noexcept;
  // Runs the body on the calling worker. Precondition: try_start() was true.
  void run() noexcept;
  // The same for a body that runs in another process: notes and counts the start, no more.
  void start_elsewhere(unsigned worker) noexcept;
  // The body has ended and its outcome is stored but not published, or was decided by others.
  // `decided`: this body claimed the outcome. Gives back the body's reference.
  void finish(bool decided) noexcept;
  // queued -> finished with `error` as outcome. Returns false when it was no longer queued.
  bool discard(std::exception_ptr error) noexcept;

  // Cancels: a queued body never runs, a running one is asked to stop. Returns whether this had
  // an effect: false when it has finished or has no way to be asked.
  virtual bool cancel() noexcept;
  // As cancel, and by force where the executor can. Returns true only for processes.
  virtual bool kill() noexcept;
  // Makes the outcome a task_timeout, then cancels the body. A queue deadline does so only to a
  // body that is still queued.
  enum class timeout_kind : std::uint8_t { deadline, queue_deadline };
  void time_out(timeout_kind kind) noexcept;

  // --- what executors ask ------------------------------------------------------------------------
  [[nodiscard]] virtual const remote_call* remote() const noexcept { return nullptr; }
  // Where the executor keeps the cargo of a job that can travel; null when it cannot.
  [[nodiscard]] virtual std::unique_ptr<cargo>* cargo_slot() noexcept { return nullptr; }
  // The type that keeps a job from travelling, where it is known.
  [[nodiscard]] virtual const std::type_info* obstacle() const noexcept { return nullptr; }
  [[nodiscard]] virtual coroutine_root* root() noexcept { return nullptr; }
  // The coroutine of this job has reached its end on the calling worker.
  virtual void root_finished() noexcept {}
  // Whether the callable takes a std::stop_token (or is a coroutine, whose waits can be cancelled).
  [[nodiscard]] virtual bool takes_stop() const noexcept { return false; }
  // Destroys callable and arguments. Called once, by the owner of the body.
  virtual void drop_payload() noexcept = 0;

  // Whether the outcome is ready or about to be, and an error. For statistics.
  [[nodiscard]] bool outcome_is_error() const noexcept {
    return is_error_.load(std::memory_order_acquire);  // pairs with note_error()
  }
  // In a worker process: the job is the coroutine of the task that the host sent.
  [[nodiscard]] bool stands_for_process_task() const noexcept { return stands_for_process_task_; }
  void stand_for_process_task() noexcept { stands_for_process_task_ = true; }

  [[nodiscard]] executor* home() const noexcept { return home_; }
  // Whether only work on `where` can make the outcome ready.
  [[nodiscard]] bool depends_on(const executor& where) const noexcept;
  void add_dependency(const job_state& other) noexcept { add_dependencies(other.depends_on_); }
  void add_dependencies(unsigned kinds) noexcept {
    depends_on_ = static_cast<std::uint8_t>(depends_on_ | kinds);
  }
  [[nodiscard]] unsigned dependencies() const noexcept { return depends_on_; }
  [[nodiscard]] dispatcher* owner() const noexcept { return owner_; }
  // Whether the future was dropped.
  [[nodiscard]] bool is_abandoned() const noexcept {
    return (outcome_.load(std::memory_order_relaxed) & abandoned) != 0;  // a hint: it comes later
  }
  // Null when that runtime has been destroyed: an outcome may outlive it.
  [[nodiscard]] dispatcher* living_owner() const noexcept;
  // Unique in this process; given when somebody asks first.
  [[nodiscard]] std::uint64_t id() const noexcept;
  [[nodiscard]] std::string name() const { return extras_ ? extras_->name : std::string(); }
  [[nodiscard]] task_identity identity() const;
  [[nodiscard]] job_extras* extras() noexcept { return extras_.get(); }
  // Whether the body was asked to stop. An executor that escalates to signals reads it.
  [[nodiscard]] bool stop_requested() const noexcept;
  // Uses up one attempt. Returns false when there is none left or a stop was asked for.
  [[nodiscard]] bool take_attempt() noexcept;
  [[nodiscard]] unsigned attempt() const noexcept { return extras_ ? extras_->attempt : 1; }

  // Zero, all that follow, of a job that is not timed.
  [[nodiscard]] job_times times() const noexcept;
  void note_queued() noexcept;
  void note_started(unsigned worker) noexcept;
  void note_finished() noexcept;
  [[nodiscard]] unsigned worker() const noexcept;
  [[nodiscard]] std::chrono::nanoseconds cpu_time() const noexcept;
  void add_cpu_time(std::chrono::nanoseconds time) noexcept;

  // Of a new job: nobody will have a future of it. The one reference is the queue's.
  void without_future() noexcept { unasked_ = true; }

  // For running_jobs, which guards them: the account that notes the job, or its neighbours in a
  // list.
  std::uint8_t running_shard = 0;

 protected:
  // A flag of job, which is here for the layout: small things share one word, since a processor
  // that takes a job over from another one waits for each line of it.
  bool payload_dropped_ = false;

 private:
  // How many bytes after this object's begin its clocks are; 0: it has none.
  std::uint32_t clocks_at_ = 0;

 public:
  account* noted_in = nullptr;
  job_state* running_next = nullptr;
  job_state* running_previous = nullptr;

 protected:
  job_state() noexcept;
  virtual ~job_state() = default;

  // For an outcome that is completed by hand: it has no body, only an owner that reports failures.
  void attach(dispatcher& owner) noexcept { owner_ = &owner; }
  void keep_hooks();  // an error that nobody asks for goes there

  // Stores the error in a claimed outcome, and remembers whom to tell if nobody asks for it.
  void put_error(std::exception_ptr error) noexcept;
  virtual void store_error(std::exception_ptr error) noexcept = 0;
  void note_error() noexcept {
    is_error_.store(true, std::memory_order_release);  // after the error: see outcome_is_error()
  }
  // Runs the callable once on this thread and calls finish(), or starts its coroutine.
  virtual void invoke() noexcept = 0;
  // Asks the running body to stop. Returns whether it can be asked.
  virtual bool request_stop() noexcept { return false; }
  // Of a new job: these are its own, in the same object. Their place is stored, since a virtual
  // function would be called three times in the life of a task.
  void keep_times_in(job_clocks& member) noexcept {
    clocks_at_ = static_cast<std::uint32_t>(reinterpret_cast<std::byte*>(&member) -
                                            reinterpret_cast<std::byte*>(this));
  }

 private:
  friend class dispatcher;

  enum outcome_bits : std::uint32_t {
    sleeper = 1,
    claimed = 2,
    done = 4,
    abandoned = 8,
    visited = 16,  // its consumer is inside of its executor: who publishes holds the runtime for it
  };

  [[nodiscard]] bool has_clocks() const noexcept { return clocks_at_ != 0; }
  // Precondition: has_clocks().
  [[nodiscard]] job_clocks& clocks() noexcept {
    return *std::launder(
        reinterpret_cast<job_clocks*>(reinterpret_cast<std::byte*>(this) + clocks_at_));
  }
  [[nodiscard]] const job_clocks& clocks() const noexcept {
    return const_cast<job_state*>(this)->clocks();
  }
  void report_if_failed() noexcept;
  // Blocks a thread that is no worker, in the way of the executor when that helps.
  void wait_outside(std::optional<clock::time_point> deadline);
  void disarm(job_extras::armed_timer& timer) noexcept;
  void disarm_all() noexcept;
  void armed() noexcept;  // told by dispatcher::arm()
  void disarm_extras() noexcept;
  // queued -> finished. True for exactly one caller, who then calls settle_discarded().
  [[nodiscard]] bool take_from_queue() noexcept;
  void settle_discarded() noexcept;
  void interrupt(interruption why, bool& asked) noexcept;
  [[nodiscard]] const char* at_timeout(bool queued) const noexcept;

  std::atomic<body> phase_{body::queued};
  std::atomic<bool> stop_requested_{false};
  std::atomic<bool> counted_{false};  // holds a place in its executor's gate
  std::atomic<bool> is_error_{false};
  std::uint8_t depends_on_ = 0;  // a bit for each executor whose work decides the outcome
  bool unasked_ = false;
  bool stands_for_process_task_ = false;
  executor_kind home_kind_{};  // home_->kind(), also when its runtime has gone
  std::atomic<std::uint32_t> references_{1};
  std::atomic<std::uint32_t> outcome_{0};
  std::atomic<continuation*> continuation_{nullptr};
  executor* home_ = nullptr;  // null: completed by hand (combinators)
  dispatcher* owner_ = nullptr;
  mutable std::atomic<std::uint64_t> id_{0};
  std::unique_ptr<job_extras> extras_;
  // Set with a failure: a future may outlive its runtime.
  std::unique_ptr<const std::shared_ptr<const hooks>> hooks_;
};

// An owning reference to a job.
template <class Job>
class job_ref {
 public:
  job_ref() = default;
  // Takes over one reference.
  explicit job_ref(Job* job) noexcept : job_(job) {}
  // Adds a reference.
  static job_ref share(Job& job) noexcept {
    job.retain();
    return job_ref(&job);
  }
  job_ref(const job_ref& other) noexcept : job_(other.job_) {
    if (job_ != nullptr) job_->retain();
  }
  job_ref(job_ref&& other) noexcept : job_(std::exchange(other.job_, nullptr)) {}
  job_ref& operator=(job_ref other) noexcept {
    std::swap(job_, other.job_);
    return *this;
  }
  ~job_ref() {
    if (job_ != nullptr) job_->release();
  }

  [[nodiscard]] Job* get() const noexcept { return job_; }
  [[nodiscard]] Job* take() noexcept { return std::exchange(job_, nullptr); }
  Job* operator->() const noexcept { return job_; }
  Job& operator*() const noexcept { return *job_; }
  explicit operator bool() const noexcept { return job_ != nullptr; }

 private:
  Job* job_ = nullptr;
};

}  // namespace detail
}  // namespace brigade
