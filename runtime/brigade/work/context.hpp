// Where the calling code runs: which executor, worker, process and task.
//
// Every worker thread has one record in thread-local storage. It is read only through functions
// that are never inlined: a coroutine may resume on another thread, and compilers keep the address
// of a thread-local variable across a suspension.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <brigade/base/error.hpp>
#include <brigade/base/executor_kind.hpp>

namespace brigade {

// What current() returns. Outside of any task, executor is empty and id is 0.
struct current_task {
  std::optional<executor_kind> executor;
  unsigned worker = 0;  // index within its executor
  int pid = 0;          // of this process
  int tid = 0;          // of this thread
  std::string name;     // of the task; empty when it has none
  std::uint64_t id = 0;
};

// Who am I: the executor, worker, process and task that the calling code runs on. Thread-safe;
// works in worker processes too.
[[nodiscard]] current_task current();

namespace detail {

class executor;
class dispatcher;
class job_state;
struct account;

struct thread_context {
  executor* where = nullptr;    // whose worker this thread is; null outside
  dispatcher* owner = nullptr;  // the runtime that the calling code belongs to
  unsigned worker = 0;
  account* books = nullptr;  // of a worker: with its executor's dispatcher
  job_state* job = nullptr;  // the task that runs on this thread now
  bool in_worker_process = false;
};

[[nodiscard]] thread_context& this_thread_context() noexcept;

// The same without a call, for functions in source files that are not coroutines. Initial-exec: it
// is read several times for every task, in a library too.
extern constinit thread_local thread_context context_record [[gnu::tls_model("initial-exec")]];

// In a worker process the executor is `processes` and the worker is its slot, for all threads.
void enter_worker_process(unsigned slot) noexcept;
[[nodiscard]] bool is_worker_process() noexcept;

// The task that a worker process runs right now, for current(). Cleared with id 0.
void set_process_task(std::string name, std::uint64_t id);
// The same, as errors name it.
[[nodiscard]] task_identity process_task();

// Sets the record of a worker thread for as long as it lives.
class worker_scope {
 public:
  worker_scope(executor& where, unsigned worker) noexcept;
  worker_scope(const worker_scope&) = delete;
  worker_scope& operator=(const worker_scope&) = delete;
  ~worker_scope();

 private:
  thread_context saved_;
};

// Sets the running task for as long as it lives; scopes nest when a blocked worker helps.
class task_scope {
 public:
  explicit task_scope(job_state& job) noexcept;
  task_scope(const task_scope&) = delete;
  task_scope& operator=(const task_scope&) = delete;
  ~task_scope();

 private:
  job_state* saved_job_;
  dispatcher* saved_owner_;
};

}  // namespace detail
}  // namespace brigade
