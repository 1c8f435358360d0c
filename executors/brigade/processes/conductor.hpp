// The host's side of the pool: one thread that gives queued jobs to worker processes, takes what
// they answer, and keeps the pool whole.
//
// Started by the first job. The calls of other threads only note what is wanted, under one mutex,
// and wake the thread; whatever talks to the supervisor happens on it. Calls and answers lie in
// memory that is shared with the workers: whoever submits writes the call there, and a caller that
// waits reads the answers while the thread sleeps. Nothing of a job that could run foreign code
// (its continuation, destructors) happens under the mutex.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include <brigade/os/eventfd.hpp>
#include <brigade/os/poll.hpp>
#include <brigade/processes/job_queue.hpp>
#include <brigade/processes/nursery.hpp>
#include <brigade/processes/oom.hpp>
#include <brigade/processes/options.hpp>
#include <brigade/processes/output_reader.hpp>
#include <brigade/processes/supervisor_link.hpp>
#include <brigade/processes/worker_slot.hpp>
#include <brigade/wire/block_store.hpp>
#include <brigade/wire/pause.hpp>
#include <brigade/work/dispatcher.hpp>
#include <brigade/work/executor.hpp>

namespace brigade::detail {

// Why workers do not start.
struct boot_trouble {
  std::string why;
  bool in_initializer = false;
  std::exception_ptr cause = nullptr;
};

class conductor {
 public:
  conductor(processes_options options, dispatcher& owner);
  conductor(const conductor&) = delete;
  conductor& operator=(const conductor&) = delete;
  ~conductor() { join(); }

  // --- from any thread, see executor ------------------------------------------------------------
  // Gives a continuation its cargo before it is pushed. Returns false when it has ended.
  [[nodiscard]] bool load(job_state& job, std::unique_ptr<cargo> packed) noexcept;
  void push(job_state& job) noexcept;
  void interrupt(job_state& job, interruption why) noexcept;
  [[nodiscard]] bool kill(job_state& job) noexcept;
  [[nodiscard]] bool take_back(job_state& job) noexcept;
  void help_until_ready(job_state& job, std::optional<clock::time_point> deadline);
  void discard_queued() noexcept;
  void kill_running() noexcept;
  void join() noexcept;
  [[nodiscard]] unsigned worker_count() const noexcept {
    return target_.load(std::memory_order_relaxed);  // a number of its own, nothing goes with it
  }
  [[nodiscard]] const processes_options& options() const noexcept { return options_; }
  // Of the arguments that are large.
  [[nodiscard]] const std::shared_ptr<wire::block_store>& blocks() const noexcept {
    return blocks_;
  }
  // Some may have been taken: the thread is to let go of them when they are no longer used.
  void note_blocks() noexcept;
  // Throws std::invalid_argument for an absurd number.
  void resize(unsigned workers);
  [[nodiscard]] std::vector<worker_info> workers() const;

 private:
  using make_error = std::function<std::exception_ptr(const task_identity&)>;

  // conductor.cpp: the thread
  void start_thread();
  void run() noexcept;
  void wait();
  [[nodiscard]] std::optional<clock::time_point> next_deadline() const;
  void enqueue(job_state& job, std::unique_lock<std::mutex>& lock);   // under the mutex
  void note_news() noexcept;                                          // under the mutex
  [[nodiscard]] worker_slot* slot_of(const job_state& job) noexcept;  // under the mutex
  [[nodiscard]] lent_job* lent_of(const job_state& job) noexcept;     // under the mutex
  void condemn_for_kill(worker_slot& slot) noexcept;                  // under the mutex

  // pool.cpp: supervisor and workers
  void start_supervisor();
  void start_worker(worker_slot& slot);
  [[nodiscard]] worker_info info_at(unsigned slot) const;
  void on_link();
  void on_report(supervisor_link::reported message);
  void lose_supervisor();
  void become_ready(worker_slot& slot);
  void drop_supervisor(std::chrono::milliseconds grace);
  void carry_out_requests();
  void act_on_deadlines();
  void press_for_end(worker_slot& slot);
  void close_channel(worker_slot& slot) noexcept;
  void bury(worker_slot& slot, const os::process_end& end);
  [[nodiscard]] bool end_pool();
  [[nodiscard]] unsigned living() const noexcept;
  [[nodiscard]] worker_info info_of(const worker_slot& slot) const;
  void tell(const std::function<void(const worker_info&)>& hook, const worker_slot& slot) noexcept;
  void want_end(worker_slot& slot, end_request how);

  // turnover.cpp: how many workers, for how long, and what when they do not start
  void adjust();
  void retire(worker_slot& slot);
  void note_task_ended(worker_slot& slot);
  void note_progress() noexcept {
    if (progress_.exchange(false, std::memory_order_relaxed)) failures_.reset();  // a hint
  }
  void note_idle(worker_slot& slot);
  [[nodiscard]] std::size_t vacancies_to_fill();
  void refill();
  void rest(std::chrono::milliseconds longest);
  void initializer_threw(worker_slot& slot, std::span<const std::byte> failure);
  void boot_failed(boot_trouble trouble);
  void give_up_starting(const boot_trouble& trouble);
  void idle_death(const worker_slot& slot, const os::process_end& end);
  void refuse_queued(const make_error& make);

  // calls.cpp: what goes to the workers. Under the mutex, given as `lock` where it is let go
  using locked = std::unique_lock<std::mutex>;
  void feed(locked& lock, clock::time_point now);
  [[nodiscard]] worker_slot* idle_slot() noexcept;
  [[nodiscard]] job_state* next_fresh(bool lend, job_queue& dead) noexcept;
  void send_to(worker_slot& slot, job_state& job, clock::time_point now, locked& lock);
  void write_call(worker_slot& slot, job_state& job);
  [[nodiscard]] bool lend_one(clock::time_point now, job_queue& dead);
  [[nodiscard]] job_state* steal() noexcept;
  void reclaim_lent(worker_slot& slot, priority below) noexcept;
  void reclaim_all_lent(worker_slot& slot) noexcept;
  void interrupt_head(worker_slot& slot, disturbance why) noexcept;
  void end_head(worker_slot& slot, end_request how) noexcept;
  void send_frames();  // the thread's

  // helping.cpp: a caller that waits reads the answers itself
  void stop_leading();
  void lead(job_state& job, std::optional<clock::time_point> deadline);

  // answers.cpp: what comes from them. One thread at a time has the right to read answers
  class reading_right;
  struct finished_call;
  struct promoted_job {
    job_state* job;
    unsigned worker;
  };
  void receive(worker_slot& slot);  // the thread's
  void on_frame(worker_slot& slot, const wire::arrived_frame& frame);
  void on_ready(worker_slot& slot, const wire::arrived_frame& frame);
  void on_large_answer(worker_slot& slot, const wire::arrived_frame& frame);
  void channel_ended(worker_slot& slot);
  void read_answers(const job_state* awaited = nullptr);
  [[nodiscard]] bool read_some(locked& lock);
  [[nodiscard]] bool take_answer(worker_slot& slot, finished_call& to);
  void promote(worker_slot& slot, clock::time_point now, std::vector<promoted_job>& promoted);
  void settle(finished_call& call);
  [[nodiscard]] bool any_answer() const noexcept;  // under the mutex
  void judge_death(worker_slot& slot, const os::process_end& end);
  void judge_head(worker_slot& slot, const os::process_end& end);
  // The job waits to be sent again, unless it was asked to stop meanwhile: then false.
  [[nodiscard]] bool queue_again(job_state& job);

  const processes_options options_;
  dispatcher* owner_;
  std::atomic<unsigned> target_;  // how many workers there should be
  const unsigned cpus_;
  // A job's arguments may outlive the pool for a moment.
  const std::shared_ptr<wire::block_store> blocks_ = std::make_shared<wire::block_store>();

  std::mutex joining_;  // taken before mutex_
  mutable std::mutex mutex_;
  // --- guarded -----------------------------------------------------------------------------------
  job_queue queue_;
  std::deque<worker_slot> slots_;  // grows at its end only: references stay valid
  bool discarding_ = false;
  bool stopping_ = false;
  bool news_ = false;
  bool asleep_ = false;
  bool reading_ = false;  // a thread has the right to read answers
  bool led_ = false;      // a caller waits for answers itself
  // The thread looks for answers every now and then, since callers have come and gone lately: for a
  // moment workers need not tell it.
  bool watchful_ = false;
  clock::time_point last_led_{};
  // The thread looks each second for blocks that are not used; written under the mutex.
  std::atomic<bool> trims_{false};
  std::uint64_t last_choice_ = 0;
  unsigned busy_ = 0;  // workers with a job
  std::array<unsigned, priority_levels> lent_{};
  std::condition_variable read_;
  std::thread thread_;
  // --- the thread's own, made when it starts -----------------------------------------------------
  std::optional<os::epoll> poll_;
  std::optional<os::eventfd> bell_;
  std::optional<nursery> nursery_;  // made with the pool, while there is one thread
  supervisor_link link_;
  clock::time_point link_ready_before_{};
  std::uint64_t last_worker_ = 0;
  // In a row: a task that ran in between starts the count anew.
  struct failures {
    unsigned boots = 0;        // supervisors and workers that did not become ready
    unsigned idle_deaths = 0;  // workers that died without having taken a task
    unsigned rounds = 0;       // times that it was given up
    bool given_up = false;     // until the next task
    void reset() noexcept { *this = {}; }
  };
  failures failures_;
  std::atomic<bool> progress_{false};  // a task has ended: for failures_
  clock::time_point rest_until_{};
  std::minstd_rand random_{std::random_device{}()};
  bool reads_ = true;          // answers, in this round
  wire::spin_habit habit_;     // of the caller that leads
  os::unique_fd initializer_;  // its bytes, for every worker
  std::optional<output_reader> output_;
  oom_watch oom_;
};

}  // namespace brigade::detail
