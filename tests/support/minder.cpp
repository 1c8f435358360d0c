#include "support/minder.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <new>
#include <string>
#include <string_view>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/surroundings.hpp"

namespace brigade::testing {
namespace {

using std::chrono::steady_clock;

// Shared between the minder and the tests.
struct watch {
  std::atomic<std::int64_t> deadline_ns{0};  // of steady_clock, which both share; 0: no case runs
  std::array<char, 256> name{};              // of the case, written before the deadline
};

watch* current = nullptr;

bool sanitized() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
  return true;
#endif
#endif
  return false;
}

std::int64_t now_ns() {
  return steady_clock::now().time_since_epoch() / std::chrono::nanoseconds(1);
}

std::chrono::milliseconds seconds_of(const char* variable, double otherwise) {
  const char* seconds = std::getenv(variable);
  return std::chrono::milliseconds(
      static_cast<long long>((seconds != nullptr ? std::atof(seconds) : otherwise) * 1000));
}

std::string name_of_case() {
  return current->name[0] != '\0' ? current->name.data() : "(outside of any case)";
}

// Waits up to `limit` for a child to change and reaps those that ended. True when `tests` did,
// with its wait status.
bool reap(pid_t tests, int& status, std::chrono::milliseconds limit) {
  sigset_t child;
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  bool ended = false;
  for (bool waited = false;; waited = true) {
    int its_status = 0;
    for (pid_t pid; (pid = waitpid(-1, &its_status, WNOHANG)) > 0;) {
      if (pid == tests) {
        status = its_status;
        ended = true;
      }
    }
    if (ended || waited) return ended;
    timespec timeout{};
    timeout.tv_sec = limit.count() / 1000;
    timeout.tv_nsec = limit.count() % 1000 * 1'000'000;
    sigtimedwait(&child, nullptr, &timeout);
  }
}

// The case took too long: says so, and ends the tests so that a core or a report can show where.
void end_tests(pid_t tests, int& status) {
  std::fprintf(stderr, "[watchdog] '%s' took longer than %lld ms\n", name_of_case().c_str(),
               static_cast<long long>(case_timeout().count()));
  kill(tests, SIGABRT);
  for (int i = 0; i < 200; ++i) {
    if (reap(tests, status, std::chrono::milliseconds(100))) return;
  }
  kill(tests, SIGKILL);
  while (!reap(tests, status, std::chrono::milliseconds(100))) {
  }
}

// Everything that the tests started is ours by now. It has a moment to go by itself.
bool sweep() {
  const auto limit = steady_clock::now() + grace();
  auto left = children_of(getpid());
  for (int status = 0; !left.empty() && steady_clock::now() < limit; left = children_of(getpid())) {
    reap(-1, status, std::chrono::milliseconds(10));
  }
  for (const auto& process : left) {
    std::fprintf(stderr, "[check] process %s outlived the test program\n", process.text.c_str());
    kill(process.id, SIGKILL);
  }
  return left.empty();
}

[[noreturn]] void watch_over(pid_t tests) {
  sigset_t child;
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  sigprocmask(SIG_BLOCK, &child, nullptr);
  int status = 0;
  while (!reap(tests, status, std::chrono::milliseconds(200))) {
    const auto deadline = current->deadline_ns.load(std::memory_order_acquire);
    if (deadline != 0 && now_ns() > deadline) {
      end_tests(tests, status);
      break;
    }
  }
  int result = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  if (WIFSIGNALED(status)) {
    std::fprintf(stderr, "[check] the test program died of signal %d (%s) in '%s'\n",
                 WTERMSIG(status), strsignal(WTERMSIG(status)), name_of_case().c_str());
  }
  if (!sweep() && result == 0) result = 1;
  std::fflush(nullptr);
  _exit(result);  // not exit: what is registered there belongs to the tests
}

[[noreturn]] void give_up(const char* call) {
  std::perror(call);
  _exit(99);
}

watch* map(int fd) {
  void* page = mmap(nullptr, sizeof(watch), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (page == MAP_FAILED) give_up("mmap");
  return static_cast<watch*>(page);
}

}  // namespace

void mind(char** argv) {
  constexpr const char* minded = "BRIGADE_TEST_MINDED";
  if (const char* value = std::getenv(minded)) {
    // In the process that was started below the value is the descriptor of what is shared.
    if (std::string_view(value).starts_with("fd ")) {
      const int shared = std::atoi(value + 3);
      current = map(shared);
      close(shared);
      setenv(minded, "1", 1);
    }
    return;
  }
  const int shared = memfd_create("watch", 0);
  if (shared < 0 || ftruncate(shared, sizeof(watch)) != 0) give_up("memfd_create");
  current = new (map(shared)) watch;
  prctl(PR_SET_CHILD_SUBREAPER, 1);  // orphans of the tests become ours; forks do not inherit it
  const pid_t parent = getpid();
  const pid_t tests = fork();
  if (tests < 0) give_up("fork");
  if (tests > 0) {
    close(shared);
    watch_over(tests);
  }
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(99);  // the minder died before the line above
  // Start afresh: a forked process is not quite the one a user would run. The thread sanitizer,
  // for one, starts a thread in it.
  setenv(minded, ("fd " + std::to_string(shared)).c_str(), 1);
  std::array<char, 4096> self{};
  if (readlink("/proc/self/exe", self.data(), self.size() - 1) > 0) execv(self.data(), argv);
  give_up("exec");
}

int minder_pid() noexcept { return current != nullptr ? getppid() : 0; }

std::chrono::milliseconds case_timeout() {
  return seconds_of("BRIGADE_TEST_TIMEOUT", sanitized() ? 400 : 200);
}

std::chrono::milliseconds grace() { return seconds_of("BRIGADE_TEST_GRACE", 20); }

void case_started(std::string_view name) noexcept {
  if (current == nullptr) return;
  const auto length = std::min(name.size(), current->name.size() - 1);
  std::memcpy(current->name.data(), name.data(), length);
  current->name[length] = '\0';
  // Release: who sees the deadline sees the name.
  current->deadline_ns.store(now_ns() + std::chrono::nanoseconds(case_timeout()).count(),
                             std::memory_order_release);
}

void case_ended() noexcept {
  if (current == nullptr) return;
  current->deadline_ns.store(0, std::memory_order_release);  // as above
  current->name[0] = '\0';
}

}  // namespace brigade::testing
