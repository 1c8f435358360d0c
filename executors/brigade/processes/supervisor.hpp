// The supervisor process: owns the worker processes and nothing else.
//
// A single-threaded libuv program without a signal handler. It does what the host orders over the
// link (start a worker, end one), reports what happens to its children, and keeps the grace between
// SIGTERM and SIGKILL. When the host closes the link it ends what is left and returns; when the
// host dies the lifeline kills it and all workers. Keeping this out of the host leaves the host's
// SIGCHLD, its dispositions and its other children alone.
#pragma once

#include <uv.h>

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <brigade/os/fd.hpp>
#include <brigade/os/lifeline.hpp>
#include <brigade/os/process.hpp>
#include <brigade/processes/inheritance.hpp>
#include <brigade/processes/program.hpp>
#include <brigade/processes/protocol.hpp>

namespace brigade::detail {

class supervisor {
 public:
  // Throws std::system_error when the process was not started by a host.
  supervisor(os::unique_fd link, os::unique_fd lifeline, const part& played);
  supervisor(const supervisor&) = delete;
  supervisor& operator=(const supervisor&) = delete;
  ~supervisor();

  // nullopt when all is over. In a forked child: what it starts with; the supervisor is then to
  // be destroyed, which leaves the real one alone.
  // Runs first the preload that is in that file, if there is one.
  [[nodiscard]] std::optional<inheritance> run(os::unique_fd preload = {});

 private:
  using clock = std::chrono::steady_clock;

  // Watched through its pidfd: unlike a SIGCHLD handler of libuv's, whose notices travel through a
  // pipe, that has no state which a fork could take along half-way.
  struct child {
    supervisor* owner = nullptr;
    std::uint64_t worker = 0;
    os::child_process process;
    std::optional<clock::time_point> kill_at;
    uv_poll_t watch{};
  };
  struct pending_start {
    start_worker order;
    std::vector<os::unique_fd> descriptors;
  };

  void greet(const os::unique_fd& preload);
  void on_link();
  void obey(supervisor_order order, std::vector<os::unique_fd> descriptors);
  void end(const end_worker& order);
  void reap(child& ended);
  // Destroys it when libuv lets go of it.
  void forget(child& known) noexcept;
  void kill_overdue();
  void set_timer();
  void report(const supervisor_report& message, int descriptor = -1);

  [[nodiscard]] bool may_fork(const start_worker& order) const;
  // Returns in the child what it starts with.
  [[nodiscard]] std::optional<inheritance> start(pending_start wanted);
  [[nodiscard]] std::optional<inheritance> start_by_fork(pending_start wanted);
  // In the fork. An exception ends it: nobody may take it for the supervisor.
  [[nodiscard]] inheritance become_child(pending_start wanted, pid_t parent) noexcept;
  void start_by_exec(pending_start wanted);
  void adopt(std::uint64_t worker, os::child_process process, start_method how);

  os::unique_fd link_;
  os::unique_fd lifeline_;
  std::optional<os::lifeline_hold> hold_;
  start_method how_;
  bool host_is_gone_ = false;
  std::deque<pending_start> starts_;
  std::map<std::uint64_t, child*> children_;  // by worker; owned, see forget()
  uv_loop_t loop_{};
  uv_poll_t link_watch_{};
  uv_timer_t kill_timer_{};
};

}  // namespace brigade::detail
