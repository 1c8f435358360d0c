// A task may do to its process what it likes: only its own future fails, and the pool heals.
#include <csignal>
#include <exception>
#include <optional>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "executors/processes/pool_support.hpp"

using namespace pool_test;

namespace {

void no_core() {
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
}

void exits(int code) { std::exit(code); }
void leaves(int code) { ::_exit(code); }
void aborts() {
  no_core();
  std::abort();
}
void faults() {
  no_core();
  ::signal(SIGSEGV, SIG_DFL);
  ::raise(SIGSEGV);
}
void is_killed() { ::raise(SIGKILL); }
void terminates() {
  no_core();
  std::terminate();
}

struct expected_end {
  std::optional<int> exit_code;
  std::optional<int> signal;
};

template <class F, class... Args>
void check_lost(start_method how, expected_end end, F f, Args... args) {
  const signs sign;
  runtime rt(pool_of(2, how));
  // A sibling runs meanwhile and is not affected.
  auto sibling = rt.submit(
      processes,
      [](std::string at) {
        give_sign(at);
        while (!std::filesystem::exists(at + ".go")) ::usleep(1000);
        return 1;
      },
      sign("sibling"));
  sign.await("sibling");
  try {
    rt.submit({.on = processes, .name = "culprit"}, f, args...).get();
    FAIL("it came back");
  } catch (const worker_lost& lost) {
    CHECK(lost.exit_code() == end.exit_code);
    CHECK(lost.signal() == end.signal);
    CHECK(lost.started());
    CHECK(lost.pid() > 0);
    CHECK(lost.task_name() == "culprit");
    CHECK(contains(lost.what(), std::to_string(lost.pid())));
  }
  check_usable(rt);
  give_sign(sign("sibling.go"));
  CHECK(sibling.get() == 1);
  CHECK(rt.stats(processes).workers_lost == 1);
  CHECK(testing::eventually([&] { return rt.workers().size() + 1 >= 3; }));
}

}  // namespace

TEST_CASE("a task exits, aborts, faults or is killed") {
  for (const start_method how : all_start_methods) {
    CAPTURE(to_string(how));
    check_lost(how, {42, {}}, exits, 42);
    check_lost(how, {0, {}}, exits, 0);
    check_lost(how, {7, {}}, leaves, 7);
    check_lost(how, {{}, SIGABRT}, aborts);
    check_lost(how, {{}, SIGSEGV}, faults);
    check_lost(how, {{}, SIGKILL}, is_killed);
    check_lost(how, {{}, SIGABRT}, terminates);
  }
}

TEST_CASE("a task that closes all its descriptors still answers; its worker is replaced") {
  runtime rt(pool_of(2));
  const auto closes = [] {
    ::close_range(0, ~0U, 0);
    return 7;
  };
  CHECK(rt.submit(processes, closes).get() == 7);  // through the memory that it shares
  CHECK(testing::eventually([&] { return rt.stats(processes).workers_lost == 1; }));
  check_usable(rt);
  // It stays alive without a connection: it is ended by force.
  try {
    rt.submit(processes, [] {
        ::close_range(3, ~0U, 0);
        for (;;) ::pause();
      }).get();
    FAIL("it came back");
  } catch (const worker_lost& lost) {
    CHECK(contains(lost.what(), "closed its connection to the host"));
    CHECK(lost.signal() == SIGKILL);
  }
  check_usable(rt);
}

TEST_CASE("a task writes nonsense to its host") {
  runtime rt(pool_of(1));
  const auto babble = [] {
    const std::string nonsense(1000, '?');
    for (int fd = 3; fd < 64; ++fd) (void)::send(fd, nonsense.data(), nonsense.size(), 0);
    for (;;) ::pause();
  };
  CHECK_THROWS_AS(rt.submit(processes, babble).get(), worker_lost);
  check_usable(rt);
}

TEST_CASE("a task forks a child of its own") {
  runtime rt(pool_of(1));
  const auto with_child = [] {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(3);
    int status = 0;
    ::waitpid(child, &status, 0);
    return WEXITSTATUS(status);
  };
  CHECK(rt.submit(processes, with_child).get() == 3);
  // A child that comes back from the task too does not answer in its parent's place.
  const auto both_return = [] { return ::fork() == 0 ? 1 : 2; };
  for (int i = 0; i < 5; ++i) CHECK(rt.submit(processes, both_return).get() == 2);
  check_usable(rt);
}

TEST_CASE("a task's child keeps the worker's descriptors open after the worker's death") {
  const signs sign;
  give_sign(sign("stay"));
  runtime rt(pool_of(1));
  const auto leaves_child = [](std::string at) {
    if (::fork() == 0) {
      while (std::filesystem::exists(at)) ::usleep(1000);
      ::_exit(0);
    }
    ::_exit(4);
  };
  try {
    rt.submit(processes, leaves_child, sign("stay")).get();
    FAIL("it came back");
  } catch (const worker_lost& lost) {
    CHECK(lost.exit_code() == 4);
  }
  check_usable(rt);
}

TEST_CASE("a task changes its directory, its signals and its limits") {
  runtime rt(pool_of(1));
  const auto settle_in = [] {
    ::signal(SIGTERM, SIG_IGN);
    sigset_t all;
    ::sigfillset(&all);
    ::sigprocmask(SIG_BLOCK, &all, nullptr);
    return ::chdir("/");
  };
  CHECK(rt.submit(processes, settle_in).get() == 0);
  check_usable(rt);
  // Deaf to SIGTERM: a cancellation still ends it.
  const signs sign;
  auto deaf = rt.submit(processes, spin, sign("spin"));
  sign.await("spin");
  CHECK(deaf.cancel());
  CHECK_THROWS_AS(deaf.get(), task_cancelled);
  check_usable(rt);
}

TEST_CASE("every worker dies while many tasks wait: all that had not begun still run") {
  runtime rt(pool_of(2));
  std::vector<future<int>> good;
  std::vector<future<void>> bad;
  for (int i = 0; i < 40; ++i) {
    good.push_back(rt.submit(processes, square, i));
    if (i % 4 == 0) bad.push_back(rt.submit(processes, leaves, 1));
  }
  for (int i = 0; i < 40; ++i) CHECK(good[static_cast<std::size_t>(i)].get() == i * i);
  for (auto& each : bad) CHECK_THROWS_AS(each.get(), worker_lost);
  CHECK(rt.stats(processes).workers_lost == 10);
}
