// How the pool of worker processes is set up. Every member has a default.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <brigade/work/executor.hpp>
#include <brigade/work/options.hpp>
#include <brigade/work/portable_call.hpp>

namespace brigade {

// How a worker process comes to be. Either way one supervisor process, this same program started
// again, owns them; the table in processes/README.md says what a worker sees of globals.
enum class start_method : std::uint8_t {
  forkserver,  // the supervisor forks itself: fast. With a thread started by a library's static
               // constructor in it, it does as spawn
  spawn,       // the program is started anew for each worker
  fork,        // the supervisor is a fork of this process, made when the runtime is: workers see
               // what it had in memory then. Needs a process with one thread, and no init
};

inline constexpr std::array<start_method, 3> all_start_methods{
    start_method::forkserver, start_method::spawn, start_method::fork};

// The same as a range: those that this system can do.
[[nodiscard]] std::span<const start_method> start_methods() noexcept;

// "forkserver", "spawn" or "fork".
[[nodiscard]] std::string_view to_string(start_method how) noexcept;
// The inverse. Throws std::invalid_argument, naming the word, the allowed ones and the nearest.
[[nodiscard]] start_method parse_start_method(std::string_view name);

inline constexpr unsigned most_worker_processes = 1024;

using environment_list = std::vector<std::pair<std::string, std::string>>;

// What a worker may use; nullopt leaves what the host may. A task cannot raise them again.
struct worker_limits {
  // Of private memory (RLIMIT_DATA): beyond it allocation fails, and with it the task, by
  // std::bad_alloc. Not with sanitizers, which reserve more than anybody has.
  std::optional<std::uint64_t> memory_bytes = std::nullopt;
  // Of CPU time over the worker's life: SIGXCPU, a second later SIGKILL.
  std::optional<std::chrono::seconds> cpu_time = std::nullopt;
  std::optional<std::uint64_t> open_files = std::nullopt;
  std::optional<std::uint64_t> file_bytes = std::nullopt;  // of a file that it writes: SIGXFSZ
  std::optional<std::uint64_t> core_bytes = std::nullopt;
};

enum class output_stream : std::uint8_t { out, err };

// A line that a worker has written. The views last as long as the call.
struct output_line {
  worker_info worker;
  std::uint64_t task_id = 0;  // 0: between tasks
  std::string_view task_name = {};
  output_stream stream = output_stream::out;
  std::string_view text = {};  // without the newline; very long lines come in pieces
};

struct processes_options {
  // 0: as many as there are CPUs that this process may use. At most most_worker_processes.
  unsigned workers = 0;
  start_method start = start_method::forkserver;
  // Tasks that wait in the queue; what a submission does when that many do.
  std::size_t max_pending = std::size_t{1} << 20;
  brigade::when_full when_full = brigade::when_full::wait;
  // A running task that is cancelled or past its deadline has this long to obey its stop token,
  // when it takes one; its worker gets SIGTERM then (after a deadline: SIGKILL).
  std::chrono::milliseconds stop_grace{1000};
  // From SIGTERM to SIGKILL; also what a worker has to end by itself when the runtime does.
  std::chrono::milliseconds kill_grace{1000};
  // What the arguments of one task, or its result, may take when they are encoded; more is a
  // codec_error. The host holds a result twice while it decodes it.
  std::size_t max_message_bytes = std::size_t{1} << 30;
  // The program that plays supervisor and workers, where it cannot be the host itself: a plug-in in
  // a program whose main() is not ours. Its main() begins with brigade::init(argc, argv); the
  // libraries that tasks are in it has too, or they are loaded from where the host has them.
  std::string worker_program = {};
  // A new worker or supervisor must be ready within this time.
  std::chrono::milliseconds boot_limit{20000};

  // Runs in every worker before its first task: `.initializer = {load_model, "de"}`. When it throws
  // or ends the process, and no other worker is there, what is queued fails with
  // initializer_failed.
  portable_call initializer = {};
  // Runs once in the supervisor, before it forks workers: what it loads they have without a copy.
  // Threads that it starts make the supervisor spawn instead; with `spawn` it is not run.
  portable_call preload = {};

  // A worker is replaced after so many tasks; 0: never.
  std::uint64_t max_tasks_per_worker = 0;
  // A worker is replaced after a task that left it with so much more private memory than it had
  // after its first one; 0: never.
  std::uint64_t growth_limit_bytes = 0;
  // A worker without a task for so long ends, and starts again when there is one; 0: never.
  std::chrono::milliseconds idle_timeout{0};

  worker_limits limits = {};
  int nice = 0;  // added to the host's: 19 is the least favoured
  // Keeps worker i on the i-th CPU (again from the first when there are more workers) of `cpus`,
  // or of all that the process may use when that is empty.
  bool pin = false;
  std::vector<unsigned> cpus = {};

  // Variables that all workers have in addition, set before the program starts in them, so that
  // what reads them while it is loaded (OpenMP) sees them.
  environment_list environment = {};
  // More of them for worker number i; called in this process, on a thread of brigade's. With
  // `spawn` they are there before the program is loaded, else before the initializer begins.
  std::function<environment_list(unsigned worker)> environment_of = {};
  // Called with every line that workers write to stdout and stderr, instead of letting them write
  // to the host's; on a thread of brigade's, one line at a time, in order for each worker and
  // stream. Lines may come shortly after the future of their task is ready; all have come when the
  // runtime has ended.
  std::function<void(const output_line&)> on_output = {};
  // A worker that crashes leaves fault address and backtrace behind, see worker_death: by handlers
  // of its fatal signals, which then take their course.
  bool crash_reports = true;
  // OMP_NUM_THREADS, OPENBLAS_NUM_THREADS and MKL_NUM_THREADS become the usable CPUs divided by
  // the workers, where neither the host's environment nor the lists above have them.
  bool share_cpus = true;
};

}  // namespace brigade
