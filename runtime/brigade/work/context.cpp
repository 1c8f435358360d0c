#include <brigade/work/context.hpp>

#include <mutex>
#include <utility>

#include <brigade/os/process.hpp>
#include <brigade/os/thread.hpp>
#include <brigade/work/dispatcher.hpp>
#include <brigade/work/executor.hpp>
#include <brigade/work/job_state.hpp>
#include <brigade/work/ledger.hpp>

namespace brigade {
namespace detail {
namespace {

// What a worker process is and does: one per process by its nature.
struct process_identity {
  std::mutex mutex;
  bool is_worker = false;
  unsigned slot = 0;
  std::string task_name;
  std::uint64_t task_id = 0;
};

process_identity& this_process() {
  static process_identity identity;
  return identity;
}

}  // namespace

constinit thread_local thread_context context_record [[gnu::tls_model("initial-exec")]];

[[gnu::noinline]] thread_context& this_thread_context() noexcept { return context_record; }

void enter_worker_process(unsigned slot) noexcept {
  process_identity& process = this_process();
  const std::lock_guard lock(process.mutex);
  process.is_worker = true;
  process.slot = slot;
}

bool is_worker_process() noexcept {
  process_identity& process = this_process();
  const std::lock_guard lock(process.mutex);
  return process.is_worker;
}

void set_process_task(std::string name, std::uint64_t id) {
  process_identity& process = this_process();
  const std::lock_guard lock(process.mutex);
  process.task_name = std::move(name);
  process.task_id = id;
}

task_identity process_task() {
  process_identity& process = this_process();
  const std::lock_guard lock(process.mutex);
  return {process.task_name, process.task_id, executor_kind::processes};
}

worker_scope::worker_scope(executor& where, unsigned worker) noexcept : saved_(context_record) {
  context_record.where = &where;
  context_record.owner = &where.owner();
  context_record.worker = worker;
  context_record.books = &where.owner().open_account(where.kind());
}

worker_scope::~worker_scope() {
  context_record.books->owner->close_account(*context_record.books);
  context_record = saved_;
}

task_scope::task_scope(job_state& job) noexcept
    : saved_job_(context_record.job), saved_owner_(context_record.owner) {
  context_record.job = &job;
  context_record.owner = job.owner();
}

task_scope::~task_scope() {
  context_record.job = saved_job_;
  context_record.owner = saved_owner_;
}

}  // namespace detail

current_task current() {
  current_task result;
  result.pid = os::process_id();
  result.tid = os::thread_id();
  const detail::thread_context& here = detail::this_thread_context();
  {
    detail::process_identity& process = detail::this_process();
    const std::lock_guard lock(process.mutex);
    if (process.is_worker) {
      // Tasks that the worker submitted to its own loop or threads have a job of their own.
      result.executor = executor_kind::processes;
      result.worker = process.slot;
      result.name = process.task_name;
      result.id = process.task_id;
    }
  }
  if (here.job == nullptr) return result;
  const task_identity task = here.job->identity();
  const bool driven_for_process =
      result.executor.has_value() && here.job->stands_for_process_task();
  if (driven_for_process) return result;
  // Where it runs now: a coroutine may have moved from where it was submitted.
  result.executor = here.where != nullptr ? here.where->kind() : task.executor;
  result.worker = here.worker;
  result.name = task.name;
  result.id = task.id;
  return result;
}

}  // namespace brigade
