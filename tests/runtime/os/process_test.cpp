#include <brigade/os/process.hpp>

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <span>
#include <system_error>
#include <thread>

#include <brigade/os/pipe.hpp>
#include <brigade/os/poll.hpp>
#include <brigade/os/proc.hpp>
#include <brigade/os/signal.hpp>

#include "support/eventually.hpp"

using namespace brigade;
using namespace std::chrono_literals;
using std::chrono::steady_clock;

namespace {

template <class Body>
os::child_process fork_and(Body body) {
  os::child_process child(os::fork_child());
  if (child.pid() == 0) {
    body();
    ::_exit(0);
  }
  return child;
}

void pause_for_ever() {
  for (;;)
    ::pause();
}

}  // namespace

TEST_CASE("how a child ended is known: its code or its signal") {
  CHECK(fork_and([] { ::_exit(3); }).wait() == os::process_end{3, std::nullopt});
  os::child_process child = fork_and(pause_for_ever);
  CHECK(child.wait_until(steady_clock::now() + 5ms) == std::nullopt);
  CHECK(child.kill(SIGTERM));
  CHECK(child.wait_until(steady_clock::now() + 60s) == os::process_end{std::nullopt, SIGTERM});
  CHECK_FALSE(child);
  CHECK_FALSE(child.kill(SIGTERM));
  CHECK(child.wait() == os::process_end{});
}

TEST_CASE("an end is described in words") {
  CHECK(os::describe({3, std::nullopt}) == "exited with code 3");
  CHECK(os::describe({std::nullopt, SIGSEGV}) == "was killed by SIGSEGV");
  CHECK(os::describe({}) == "ended in an unknown way");
}

TEST_CASE("a child whose owner goes is killed and waited for") {
  pid_t pid = 0;
  {
    const os::child_process child = fork_and(pause_for_ever);
    pid = child.pid();
  }
  CHECK(::kill(pid, 0) == -1);
  os::child_process first = fork_and(pause_for_ever);
  pid = first.pid();
  os::child_process second = std::move(first);
  CHECK_FALSE(first);
  CHECK(second.pid() == pid);
  second = fork_and(pause_for_ever);
  CHECK(::kill(pid, 0) == -1);
}

TEST_CASE("a child that somebody else has waited for ended in an unknown way") {
  os::child_process child = fork_and([] {});
  CHECK(::waitpid(-1, nullptr, 0) == child.pid());
  CHECK(child.wait() == os::process_end{});
}

TEST_CASE("children of a program that ignores SIGCHLD end in an unknown way and nothing hangs") {
  struct sigaction ignored {};
  struct sigaction before {};
  ignored.sa_handler = SIG_IGN;
  ::sigaction(SIGCHLD, &ignored, &before);
  os::child_process child = fork_and([] {});
  CHECK(child.wait_until(steady_clock::now() + 60s) == os::process_end{});
  os::child_process sleeper = fork_and(pause_for_ever);
  sleeper = os::child_process();
  ::sigaction(SIGCHLD, &before, nullptr);
}

TEST_CASE("waiting for one child leaves the others alone") {
  os::child_process first = fork_and([] { ::_exit(1); });
  os::child_process second = fork_and([] { ::_exit(2); });
  CHECK(second.wait().exit_code == 2);
  CHECK(first.wait().exit_code == 1);
}

TEST_CASE("a process descriptor tells of the end and never signals another process") {
  os::child_process child = fork_and(pause_for_ever);
  const os::unique_fd pidfd = os::open_pidfd(child.pid());
  CHECK_FALSE(os::wait_readable(pidfd.get(), steady_clock::now()));
  CHECK(os::send_signal(pidfd, SIGKILL));
  CHECK(os::wait_readable(pidfd.get(), steady_clock::now() + 60s));
  child.wait();
  CHECK_FALSE(os::send_signal(pidfd, SIGKILL));
  CHECK_THROWS_AS((void)os::open_pidfd(0x7ffffff0), std::system_error);
}

TEST_CASE("a parent's end is signalled, and noticed when it came first") {
  const os::pipe report = os::make_pipe();
  os::child_process parent = fork_and([&] {
    const pid_t me = ::getpid();
    if (os::fork_child() != 0) pause_for_ever();
    std::byte good{os::set_parent_death_signal(SIGKILL, me)};
    os::write_full(report.write_end.get(), {&good, 1});
    pause_for_ever();
  });
  std::byte good{0};
  CHECK(os::read_full(report.read_end.get(), {&good, 1}) == 1);
  CHECK(good == std::byte{1});
  const auto children = os::children_of(parent.pid());
  REQUIRE(children.size() == 1);
  const os::unique_fd child = os::open_pidfd(children[0]);
  CHECK(parent.kill(SIGKILL));
  CHECK(os::wait_readable(child.get(), steady_clock::now() + 60s));
  parent.wait();

  CHECK(fork_and([] { ::_exit(os::set_parent_death_signal(SIGKILL, ::getpid()) ? 1 : 0); })
            .wait()
            .exit_code == 0);
}

TEST_CASE("a subreaper becomes the parent of orphans") {
  const os::pipe report = os::make_pipe();
  CHECK(fork_and([&] {
          os::become_subreaper();
          os::child_process middle(os::fork_child());
          if (middle.pid() == 0) {
            const pid_t orphan = os::fork_child();
            if (orphan == 0) pause_for_ever();
            os::write_full(report.write_end.get(), std::as_bytes(std::span(&orphan, 1)));
            ::_exit(0);
          }
          pid_t orphan = 0;
          (void)os::read_full(report.read_end.get(), std::as_writable_bytes(std::span(&orphan, 1)));
          middle.wait();
          ::kill(orphan, SIGKILL);
          ::_exit(os::wait_for_child(orphan).signal == SIGKILL ? 0 : 1);
        })
            .wait()
            .exit_code == 0);
}

TEST_CASE("limits are read and the soft one is set") {
  const os::resource_limit files = os::read_limit(RLIMIT_NOFILE);
  REQUIRE(files.soft.has_value());
  CHECK(*files.soft > 3);
  CHECK(fork_and([] {
          os::set_soft_limit(RLIMIT_NOFILE, 64);
          ::_exit(os::read_limit(RLIMIT_NOFILE).soft == 64 ? 0 : 1);
        })
            .wait()
            .exit_code == 0);
  CHECK(os::read_limit(RLIMIT_NOFILE).soft == files.soft);
  CHECK_THROWS_AS((void)os::read_limit(12345), std::system_error);
}

TEST_CASE("signals have names") {
  CHECK(os::signal_name(SIGSEGV) == "SIGSEGV");
  CHECK(os::signal_name(SIGKILL) == "SIGKILL");
  CHECK(os::signal_name(SIGRTMIN) == "SIGRTMIN");
  CHECK(os::signal_name(SIGRTMIN + 3) == "SIGRTMIN+3");
  CHECK(os::signal_name(999) == "signal 999");
}

TEST_CASE("signals are blocked for a scope, and a child can be given fresh ones") {
  sigset_t set;
  {
    const os::blocked_signals blocked;
    ::pthread_sigmask(SIG_BLOCK, nullptr, &set);
    CHECK(sigismember(&set, SIGTERM) == 1);
    CHECK(fork_and([] {
            ::signal(SIGUSR1, SIG_IGN);
            os::reset_signals();
            sigset_t now;
            ::pthread_sigmask(SIG_BLOCK, nullptr, &now);
            struct sigaction action {};
            ::sigaction(SIGUSR1, nullptr, &action);
            const bool fresh = sigismember(&now, SIGTERM) == 0 && action.sa_handler == SIG_DFL;
            ::_exit(fresh ? 0 : 1);
          })
              .wait()
              .exit_code == 0);
  }
  ::pthread_sigmask(SIG_BLOCK, nullptr, &set);
  CHECK(sigismember(&set, SIGTERM) == 0);
}

TEST_CASE("a process is told from its forks") {
  const os::fork_mark mark;
  CHECK(mark.is_original());
  os::child_process child(os::fork_child());
  if (child.pid() == 0) std::_Exit(mark.is_original() ? 1 : 0);
  CHECK(child.wait() == os::process_end{0, std::nullopt});
  CHECK(mark.is_original());
}

TEST_CASE("a thread that was joined does not count any more") {
  for (int i = 0; i < 200; ++i) {
    std::thread([] {}).join();
    REQUIRE(os::has_one_thread());
  }
  std::atomic<bool> done{false};
  std::thread other([&] { done.wait(false); });
  CHECK_FALSE(os::has_one_thread());
  done.store(true);
  done.notify_all();
  other.join();
}
