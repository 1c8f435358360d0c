#include <brigade/os/process.hpp>

#include <malloc.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include <brigade/os/poll.hpp>
#include <brigade/os/proc.hpp>
#include <brigade/os/signal.hpp>
#include <brigade/os/system_failure.hpp>

namespace brigade::os {
namespace {

std::string name_of(pid_t pid) { return "process " + std::to_string(pid); }

int try_open_pidfd(pid_t pid) noexcept {
  return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));  // close-on-exec by definition
}

int try_send_signal(int pidfd, int signal) noexcept {
  return static_cast<int>(::syscall(SYS_pidfd_send_signal, pidfd, signal, nullptr, 0));
}

process_end decode(int status) noexcept {
  process_end end;
  if (WIFEXITED(status)) end.exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) end.signal = WTERMSIG(status);
  return end;
}

std::optional<process_end> wait_with(pid_t pid, int options) {
  int status = 0;
  const pid_t result = retry_interrupted([&] { return ::waitpid(pid, &status, options); });
  if (result == pid) return decode(status);
  if (result == 0) return std::nullopt;
  if (errno == ECHILD) return process_end{};
  throw_errno("waitpid", name_of(pid));
}

}  // namespace

fork_mark::fork_mark() : pid_(process_id()) {
  const auto bytes = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  void* const page =
      ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) return;
  if (::madvise(page, bytes, MADV_WIPEONFORK) != 0) {
    ::munmap(page, bytes);
    return;
  }
  page_ = page;
  *static_cast<volatile char*>(page_) = 1;
}

fork_mark::~fork_mark() {
  if (page_ != nullptr) ::munmap(page_, static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)));
}

bool fork_mark::is_original() const noexcept {
  if (page_ == nullptr) return process_id() == pid_;
  return *static_cast<const volatile char*>(page_) != 0;
}

pid_t process_id() noexcept { return ::getpid(); }

std::string program_name() { return program_invocation_short_name; }

std::vector<std::string> environment() {
  std::vector<std::string> variables;
  for (char** each = environ; each != nullptr && *each != nullptr; ++each) {
    variables.emplace_back(*each);
  }
  return variables;
}

std::vector<std::string> environment_with(const std::vector<std::string>& additions) {
  std::vector<std::string> variables = environment();
  for (const std::string& each : additions) {
    const std::string_view name = std::string_view(each).substr(0, each.find('=') + 1);
    std::erase_if(variables, [&](const std::string& known) { return known.starts_with(name); });
    variables.push_back(each);
  }
  return variables;
}

void set_variable(const std::string& addition) {
  const std::size_t sign = addition.find('=');
  const std::string name = addition.substr(0, sign);
  const std::string value = sign == addition.npos ? std::string() : addition.substr(sign + 1);
  if (::setenv(name.c_str(), value.c_str(), 1) == -1) throw_errno("setenv", "'" + name + "'");
}

std::string describe(const process_end& end) {
  if (end.exit_code) return "exited with code " + std::to_string(*end.exit_code);
  if (end.signal) return "was killed by " + signal_name(*end.signal);
  return "ended in an unknown way";
}

unique_fd open_pidfd(pid_t pid) {
  unique_fd fd(try_open_pidfd(pid));
  if (!fd) throw_errno("pidfd_open", name_of(pid));
  return fd;
}

bool send_signal(const unique_fd& pidfd, int signal) {
  if (try_send_signal(pidfd.get(), signal) == 0) return true;
  if (errno == ESRCH) return false;
  throw_errno("pidfd_send_signal", "descriptor " + std::to_string(pidfd.get()));
}

process_end wait_for_child(pid_t pid) { return *wait_with(pid, 0); }

std::optional<process_end> try_wait_for_child(pid_t pid) { return wait_with(pid, WNOHANG); }

bool try_reap(const unique_fd& pidfd) noexcept {
  constexpr auto by_pidfd = static_cast<idtype_t>(3);  // P_PIDFD, which older headers lack
  siginfo_t info{};
  const int result = retry_interrupted(
      [&] { return ::waitid(by_pidfd, static_cast<id_t>(pidfd.get()), &info, WEXITED | WNOHANG); });
  return result == 0 && info.si_pid != 0;
}

pid_t pid_of(const unique_fd& pidfd) {
  const std::string path = "/proc/self/fdinfo/" + std::to_string(pidfd.get());
  const std::string text = try_read_text_file(path).value_or("");
  constexpr std::string_view name = "\nPid:\t";
  const std::size_t at = text.find(name);
  if (at == text.npos) return 0;
  const int pid = std::atoi(text.c_str() + at + name.size());
  return pid > 0 ? pid : 0;
}

child_process::child_process(pid_t pid) : pid_(pid) {
  if (pid <= 0) return;
  pidfd_.reset(try_open_pidfd(pid));
  if (!pidfd_ && errno != ESRCH) {
    const int code = errno;
    ::kill(pid, SIGKILL);  // not waited for, so the number is still the child's
    (void)wait_for_child(pid);
    throw_system_failure(code, "pidfd_open", name_of(pid));
  }
}

child_process::child_process(child_process&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), pidfd_(std::move(other.pidfd_)) {}

child_process& child_process::operator=(child_process&& other) noexcept {
  if (this != &other) {
    end_now();
    pid_ = std::exchange(other.pid_, -1);
    pidfd_ = std::move(other.pidfd_);
  }
  return *this;
}

bool child_process::kill(int signal) noexcept {
  if (pid_ <= 0) return false;
  // Without a pidfd the child was reaped by somebody else at once: its number is not ours.
  return pidfd_ && try_send_signal(pidfd_.get(), signal) == 0;
}

process_end child_process::wait() {
  if (pid_ <= 0) return {};
  const process_end end = wait_for_child(pid_);
  (void)release();
  return end;
}

std::optional<process_end> child_process::wait_until(deadline when) {
  if (pid_ > 0 && pidfd_ && !wait_readable(pidfd_.get(), when)) return std::nullopt;
  return wait();
}

pid_t child_process::release() noexcept {
  pidfd_.reset();
  return std::exchange(pid_, -1);
}

void child_process::end_now() noexcept {
  if (pid_ <= 0) return;
  (void)kill(SIGKILL);
  int status = 0;
  (void)retry_interrupted([&] { return ::waitpid(pid_, &status, 0); });
  (void)release();
}

pid_t fork_child() {
  const pid_t pid = ::fork();
  if (pid == -1) throw_errno("fork");
  return pid;
}

void skip_exit_handlers() {
  // Handlers run in the reverse order of their registration.
  const int refused = ::on_exit(
      [](int status, void*) {
        std::fflush(nullptr);
        ::_exit(status);
      },
      nullptr);
  if (refused != 0) throw_system_failure(ENOMEM, "on_exit");
}

bool has_one_thread() {
  std::vector<pid_t> threads = threads_of(process_id());
  if (threads.size() > 1) {  // one that was joined is still there for a moment
    std::erase_if(threads, [](pid_t each) {
      const auto stat = read_process_stat(each);
      return !stat || stat->is_ending;
    });
  }
  std::size_t count = threads.size();
#if defined(__SANITIZE_THREAD__)
  constexpr bool watched = true;
#elif defined(__has_feature)
  constexpr bool watched = __has_feature(thread_sanitizer);
#else
  constexpr bool watched = false;
#endif
  // The thread sanitizer has a thread of its own, which it stops and restarts around a fork.
  if (watched && count == 2) count = 1;
  return count == 1;
}

bool set_parent_death_signal(int signal, pid_t parent) noexcept {
  ::prctl(PR_SET_PDEATHSIG, signal);
  return ::getppid() == parent;  // after the setting: a death before it shows here
}

void become_subreaper(bool on) {
  if (::prctl(PR_SET_CHILD_SUBREAPER, on ? 1 : 0) == -1) {
    throw_errno("prctl(PR_SET_CHILD_SUBREAPER)");
  }
}

void release_free_memory() noexcept { ::malloc_trim(0); }

resource_limit read_limit(int resource) {
  rlimit limit{};
  if (::getrlimit(static_cast<__rlimit_resource_t>(resource), &limit) == -1) {
    throw_errno("getrlimit", "resource " + std::to_string(resource));
  }
  const auto finite = [](rlim_t value) {
    return value == RLIM_INFINITY ? std::nullopt : std::optional<std::uint64_t>(value);
  };
  return {finite(limit.rlim_cur), finite(limit.rlim_max)};
}

void set_limit(int resource, std::uint64_t soft, std::uint64_t hard) {
  const rlimit limit{soft, hard};
  if (::setrlimit(static_cast<__rlimit_resource_t>(resource), &limit) == -1) {
    throw_errno("setrlimit",
                "resource " + std::to_string(resource) + " to " + std::to_string(soft));
  }
}

void add_nice(int more) {
  errno = 0;
  if (::nice(more) == -1 && errno != 0) throw_errno("nice", std::to_string(more));
}

void set_soft_limit(int resource, std::uint64_t value) {
  const auto which = static_cast<__rlimit_resource_t>(resource);
  const std::string what = "resource " + std::to_string(resource) + " to " + std::to_string(value);
  rlimit limit{};
  if (::getrlimit(which, &limit) == -1) throw_errno("getrlimit", what);
  limit.rlim_cur = value;
  if (::setrlimit(which, &limit) == -1) throw_errno("setrlimit", what);
}

}  // namespace brigade::os
