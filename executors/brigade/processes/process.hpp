// A process of its own: any callable that may travel, run once in another process of this program.
//
//   brigade::process baker("baker", bake, 12);   // brigade::init(argc, argv) is main's first line
//   baker.start();
//   baker.join();
//   if (baker.exit_code() != 0) ...
// The life cycle is the one of Python's multiprocessing.Process. For many tasks use a runtime: a
// process costs a start each. No signal handler and no SIGCHLD is touched in this program; a helper
// process waits for the children, from the first start() until the last process is closed. Children
// end with this program, however it ends.
//
// One owner, movable. Thread-safe, but for start(), close(), moves and the destructor.
#pragma once

#include <chrono>
#include <concepts>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <brigade/os/clock.hpp>
#include <brigade/processes/options.hpp>
#include <brigade/work/portable_call.hpp>

namespace brigade {

struct process_options {
  std::string name = {};  // default: "process-1", "process-2", ...
  start_method start = start_method::forkserver;
  // The destructor ends a daemon; other processes it waits for.
  bool daemon = false;
  // From SIGTERM to SIGKILL when a daemon is ended.
  std::chrono::milliseconds kill_grace{1000};
  // Variables in addition to this program's. With `spawn` they are there before the program is
  // loaded, with the others before the callable begins.
  environment_list environment = {};
  // The program that plays supervisor and process, where it cannot be this one: see
  // processes_options. Not with `fork`.
  std::string worker_program = {};
  // Called with every line that the process writes to stdout and stderr, instead of letting it
  // write to this program's; on a thread of brigade's, one line at a time. `worker` and `task_name`
  // are the process. All lines have come when join() has returned. It must not wait for its own
  // process. With `fork` the next one cannot start meanwhile: this program has a thread more.
  std::function<void(const output_line&)> on_output = {};
};

// What is known of a process.
struct process_info {
  std::string name;
  int pid = 0;

  friend bool operator==(const process_info&, const process_info&) = default;
};

class process {
 public:
  process() noexcept;  // none

  // callable(args...) is encoded now and runs after start(). Its result is dropped; when it takes a
  // std::stop_token first, that is signalled by SIGTERM (terminate()), which ends nothing then. A
  // coroutine is driven to its end, and cancelled by SIGTERM.
  template <class F, class... Args>
  requires(!std::same_as<std::remove_cvref_t<F>, process> &&
           !std::same_as<std::remove_cvref_t<F>, process_options> &&
           !std::is_convertible_v<F, std::string>) explicit process(F&& callable, Args&&... args)
      : process(process_options{}, std::forward<F>(callable), std::forward<Args>(args)...) {}
  template <class F, class... Args>
  explicit process(std::string name, F&& callable, Args&&... args)
      : process(process_options{.name = std::move(name)}, std::forward<F>(callable),
                std::forward<Args>(args)...) {}
  template <class F, class... Args>
  explicit process(process_options options, F&& callable, Args&&... args)
      : process(std::move(options),
                portable_call(std::forward<F>(callable), std::forward<Args>(args)...)) {}
  // Throws std::invalid_argument for options that contradict each other.
  process(process_options options, portable_call body);

  process(process&& other) noexcept;
  process& operator=(process&& other) noexcept;
  // Waits for the process; ends it first when it is a daemon.
  ~process();

  // Once. Throws worker_start_failed, build_mismatch, would_deadlock in a worker of a pool, and
  // std::logic_error when it was started before.
  void start();

  // Waits until it has ended; at once when it has. std::logic_error when it was never started.
  void join();
  // The same within a time: whether it has ended.
  bool join_for(std::chrono::nanoseconds limit);
  bool join_until(os::deadline when);

  void terminate() noexcept;  // SIGTERM
  void kill() noexcept;       // SIGKILL

  [[nodiscard]] bool is_alive() const noexcept;
  // nullopt before start() and while it runs. 0: the callable returned; 1: it threw; N: it exited
  // with N; -N: signal N ended it.
  [[nodiscard]] std::optional<int> exit_code() const;
  // What the callable threw, by type as futures have it; null when nothing. The process itself says
  // it in one line on stderr.
  [[nodiscard]] std::exception_ptr failure() const;

  [[nodiscard]] std::optional<int> pid() const noexcept;  // nullopt before start()
  [[nodiscard]] std::string name() const;
  [[nodiscard]] bool daemon() const noexcept;

  // A descriptor that becomes readable when the process ends: for poll, epoll or (a dup of it)
  // asio::posix::stream_descriptor. Stays this object's. std::logic_error before start().
  [[nodiscard]] int sentinel() const;

  // Lets go of all resources. std::logic_error while it runs. What was known (name, pid, exit code)
  // stays so, only there is nothing to wait for any more.
  void close();

 private:
  struct state;
  [[nodiscard]] state& started() const;
  std::unique_ptr<state> state_;
};

// The calling process. The name of a worker of a pool is "brigade-w0", the one of a program its
// file's.
[[nodiscard]] process_info current_process();
// Whose process or worker this is; nullopt in a program that was started by others.
[[nodiscard]] std::optional<process_info> parent_process();
// The processes that this program has started with `process` and that run now.
[[nodiscard]] std::vector<process_info> active_children();
// How many CPUs this program may use: by its affinity mask and its control group's quota. At least
// one.
[[nodiscard]] unsigned cpu_count();

}  // namespace brigade
