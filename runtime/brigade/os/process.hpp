// A child process with an owner, how it ended, and the settings a process makes for itself.
//
// A child is waited for by its own id only: the program's other children, its SIGCHLD handler and
// its own waits are left alone. When somebody else has reaped the child (a foreign waitpid(-1),
// SIGCHLD ignored), it counts as ended in an unknown way; nothing hangs and nothing throws.
#pragma once

#include <sys/resource.h>  // the numbers RLIMIT_...
#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <brigade/os/clock.hpp>
#include <brigade/os/fd.hpp>

namespace brigade::os {

// At most one is set; neither when somebody else has reaped the process.
struct process_end {
  std::optional<int> exit_code;
  std::optional<int> signal;

  friend bool operator==(const process_end&, const process_end&) = default;
};

// "exited with code 3", "was killed by SIGSEGV" or "ended in an unknown way".
[[nodiscard]] std::string describe(const process_end& end);

[[nodiscard]] pid_t process_id() noexcept;

// Tells a process from those that were forked from it, without a system call: true in the process
// that made it, however the others came to be.
class fork_mark {
 public:
  fork_mark();
  fork_mark(const fork_mark&) = delete;
  fork_mark& operator=(const fork_mark&) = delete;
  ~fork_mark();

  [[nodiscard]] bool is_original() const noexcept;

 private:
  const pid_t pid_;
  void* page_ = nullptr;  // the kernel clears it in a fork
};

// The name of this program's file, without the folder.
[[nodiscard]] std::string program_name();

// The variables of this process, "NAME=value".
[[nodiscard]] std::vector<std::string> environment();
// The same with additions, "NAME=value" too, each in the place of one of its name.
[[nodiscard]] std::vector<std::string> environment_with(const std::vector<std::string>& additions);
// Makes "NAME=value" a variable of this process. Not while other threads read the environment.
void set_variable(const std::string& addition);

// A descriptor that becomes readable when the process ends. Throws std::system_error (ESRCH) when
// there is none.
[[nodiscard]] unique_fd open_pidfd(pid_t pid);

// False when the process has ended already. Safe where kill(2) is not: it can't hit another
// process that has got the number since.
bool send_signal(const unique_fd& pidfd, int signal);

// Waits for a child, whatever signals come.
process_end wait_for_child(pid_t pid);
// The same without waiting: nullopt while it runs.
[[nodiscard]] std::optional<process_end> try_wait_for_child(pid_t pid);
// The same by its pidfd, whatever has become of its number: false while it runs, and when it is no
// child of this process.
bool try_reap(const unique_fd& pidfd) noexcept;
// 0 when it has been waited for.
[[nodiscard]] pid_t pid_of(const unique_fd& pidfd);

// Owns a child of this process: the destructor kills it and waits for it. Not thread-safe.
class child_process {
 public:
  child_process() noexcept = default;
  // `pid` is a child of this process that nobody has waited for, or 0, what fork returns in the
  // child: then nothing is owned.
  explicit child_process(pid_t pid);
  child_process(child_process&& other) noexcept;
  child_process& operator=(child_process&& other) noexcept;
  ~child_process() { end_now(); }

  // Whether there is a child that has not been waited for.
  [[nodiscard]] explicit operator bool() const noexcept { return pid_ > 0; }
  [[nodiscard]] pid_t pid() const noexcept { return pid_; }
  [[nodiscard]] int pidfd() const noexcept { return pidfd_.get(); }  // -1 if it was gone at once

  bool kill(int signal) noexcept;  // false when it has ended
  process_end wait();
  [[nodiscard]] std::optional<process_end> wait_until(deadline when);
  [[nodiscard]] pid_t release() noexcept;  // no longer owned: somebody else waits for it

 private:
  void end_now() noexcept;

  pid_t pid_ = -1;
  unique_fd pidfd_;
};

// fork(2); throws in the parent. Only for a process with a single thread: in the child of a
// threaded one only async-signal-safe calls are allowed.
[[nodiscard]] pid_t fork_child();

// From now on exit() runs no handler and no static destructor that exists by now: what is buffered
// in stdio is written, then the process ends. For a fork that is to leave its parent's things
// alone.
void skip_exit_handlers();

// Whether this process may fork: it has one thread, apart from one that a sanitizer stops for it.
[[nodiscard]] bool has_one_thread();

// Has `signal` sent to this process when the thread that made it ends (that thread, not its
// process). Returns false when the parent, expected to be `parent`, has gone already.
[[nodiscard]] bool set_parent_death_signal(int signal, pid_t parent) noexcept;

// Descendants whose parent ends become children of this process rather than of init.
void become_subreaper(bool on = true);

// Gives memory that was freed back to the system, as far as the allocator can.
void release_free_memory() noexcept;

// Adds to the niceness of this process, within what the system has.
void add_nice(int more);

// "Too many open files" and the like: soft and hard limit, nullopt when unlimited.
struct resource_limit {
  std::optional<std::uint64_t> soft;
  std::optional<std::uint64_t> hard;
};

// `resource` is RLIMIT_NOFILE, RLIMIT_NPROC... of getrlimit(2).
[[nodiscard]] resource_limit read_limit(int resource);
// Sets both: a hard limit cannot be raised again without privileges.
void set_limit(int resource, std::uint64_t soft, std::uint64_t hard);
// Lowers (or, as far as the hard limit allows, raises) the soft limit of this process.
void set_soft_limit(int resource, std::uint64_t value);

}  // namespace brigade::os
