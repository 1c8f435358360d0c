// class runtime: one event loop, one thread pool and one process pool behind one submit.
//
//   brigade::init(argc, argv);                       // first line of main
//   brigade::runtime rt;                             // workers start on first use
//   auto answer = rt.submit(brigade::threads, f, 42);
// Owns its executors. Thread-safe, but for the destructor. submit, post, submit_async, map and
// their kin are inherited from submitter.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <vector>

#include <brigade/loop/options.hpp>
#include <brigade/processes/options.hpp>
#include <brigade/threads/options.hpp>
#include <brigade/work/dispatcher.hpp>
#include <brigade/work/executor.hpp>
#include <brigade/work/map.hpp>
#include <brigade/work/submit.hpp>

namespace brigade {

struct runtime_options {
  loop_options loop = {};
  threads_options threads = {};
  processes_options processes = {};
  brigade::hooks hooks = {};
};

namespace detail {

struct runtime_parts;
class local_runtime;

// Makes the runtime of a worker process: its own loop and threads; its `processes` refuses, since a
// worker has no pool. The caller owns it.
struct worker_runtime {
  static std::unique_ptr<runtime> make();
  static std::unique_ptr<local_runtime> make_for_worker();
};

// The parts exist before the submitter that refers to them.
struct runtime_core {
  runtime_core(runtime_options options, bool in_worker_process);
  ~runtime_core();
  std::unique_ptr<runtime_parts> parts;
};

}  // namespace detail

class runtime : private detail::runtime_core, public submitter {
 public:
  runtime() : runtime(runtime_options{}) {}
  explicit runtime(runtime_options options);
  runtime(const runtime&) = delete;
  runtime& operator=(const runtime&) = delete;
  // shutdown(drain) without a limit. It may not run on a worker of this runtime: that would wait
  // for itself, and ends the program with would_deadlock. When an earlier shutdown() ran into its
  // limit, the error hook is told which task it waits for.
  ~runtime();

  // Takes no more tasks and waits until those taken have ended, `limit` at most; then ends all
  // workers. Returns whether all have ended. Idempotent; after a false return a stronger mode may
  // follow. Throws would_deadlock on a worker of this runtime.
  bool shutdown(shutdown_mode mode = shutdown_mode::drain,
                std::optional<std::chrono::nanoseconds> limit = std::nullopt);

  // The workers that exist now, by executor and index.
  [[nodiscard]] std::vector<worker_info> workers() const;
  // How many workers an executor has when all have started.
  [[nodiscard]] unsigned worker_count(executor_kind of) const noexcept;
  // Changes the number of workers while they run: more start at once (or with the first task), of
  // those beyond the number each ends after the task it has. What they had queued goes to others.
  // Throws std::invalid_argument for absurd numbers and for the loop, which has one.
  void resize(executor_kind of, unsigned workers);
  [[nodiscard]] executor_stats stats(executor_kind of) const noexcept;

 private:
  friend struct detail::worker_runtime;
  struct in_worker_process {};
  explicit runtime(in_worker_process);

  void end_workers() noexcept;
};

// The runtime that the calling task belongs to, in a worker process the worker's own. Throws
// std::logic_error outside of any task.
[[nodiscard]] runtime& current_runtime();

}  // namespace brigade
