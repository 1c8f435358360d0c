// A process of its own, by the life cycle that users of multiprocessing.Process know.
#include <brigade/processes/process.hpp>

#include <algorithm>
#include <csignal>
#include <set>
#include <thread>

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <brigade/os/proc.hpp>
#include <brigade/os/process.hpp>

#include "executors/processes/pool_support.hpp"

using namespace pool_test;

namespace {

process_options by(start_method how, std::string name = "") {
  process_options options;
  options.name = std::move(name);
  options.start = how;
  return options;
}

void write_words(std::string path, std::vector<std::string> words) {
  std::ofstream out(path);
  for (const std::string& each : words)
    out << each << '\n';
}

std::string content(const std::string& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

void waits_for(std::string here, std::string go) {
  give_sign(here);
  while (!std::filesystem::exists(go))
    ::usleep(1000);
}

void until_stopped(std::stop_token stop, std::string here) {
  give_sign(here);
  while (!stop.stop_requested())
    ::usleep(1000);
  std::exit(21);
}

task<void> sleeps_long(std::string here) {
  give_sign(here);
  co_await sleep_for(1h);
}

int ended_with(process& ended) {
  ended.join();
  return ended.exit_code().value();
}

template <class... Args>
int run(start_method how, Args&&... args) {
  process one(by(how), std::forward<Args>(args)...);
  one.start();
  return ended_with(one);
}

}  // namespace

TEST_CASE("a process runs its callable with its arguments in another process") {
  for (const start_method how : all_start_methods) {
    CAPTURE(to_string(how));
    const signs sign;
    process one(by(how, "chopper"), write_words, sign("words"),
                std::vector<std::string>{"salt", "pepper"});
    CHECK(one.name() == "chopper");
    CHECK_FALSE(one.is_alive());
    CHECK_FALSE(one.pid());
    CHECK_FALSE(one.exit_code());
    one.start();
    CHECK(one.pid().value() > 0);
    CHECK(one.pid() != ::getpid());
    one.join();
    CHECK_FALSE(one.is_alive());
    CHECK(one.exit_code() == 0);
    CHECK(one.failure() == nullptr);
    CHECK(content(sign("words")) == "salt\npepper\n");
    one.close();
    CHECK(one.exit_code() == 0);
  }
}

TEST_CASE("the exit code says how it ended") {
  for (const start_method how : all_start_methods) {
    CAPTURE(to_string(how));
    CHECK(run(how, [] {}) == 0);
    CHECK(run(how, [] { return 5; }) == 0);  // a result is no exit code
    CHECK(run(how, [] { std::exit(42); }) == 42);
    CHECK(run(how, [] { ::_exit(7); }) == 7);
    CHECK(run(how, [] { ::raise(SIGKILL); }) == -SIGKILL);
    CHECK(run(how, [] { ::raise(SIGUSR1); }) == -SIGUSR1);
  }
}

TEST_CASE("what it throws is known by type") {
  process one("grinder", [] { throw std::out_of_range("too coarse"); });
  one.start();
  CHECK(ended_with(one) == 1);
  const std::exception_ptr failure = one.failure();
  REQUIRE(failure);
  CHECK_THROWS_WITH_AS(std::rethrow_exception(failure), "too coarse", std::out_of_range);
}

TEST_CASE("it can be waited for within a time, and by its sentinel") {
  const signs sign;
  process one(waits_for, sign("here"), sign("go"));
  CHECK_THROWS_AS(one.join(), std::logic_error);
  CHECK_THROWS_AS((void)one.sentinel(), std::logic_error);
  one.start();
  sign.await("here");
  CHECK(one.is_alive());
  CHECK_FALSE(one.join_for(20ms));
  CHECK_FALSE(one.exit_code());
  pollfd watched{one.sentinel(), POLLIN, 0};
  CHECK(::poll(&watched, 1, 0) == 0);
  CHECK_THROWS_AS(one.close(), std::logic_error);
  CHECK_THROWS_AS(one.start(), std::logic_error);
  give_sign(sign("go"));
  CHECK(::poll(&watched, 1, 20000) == 1);
  CHECK(one.join_for(std::chrono::nanoseconds::max()));
  CHECK(one.exit_code() == 0);
  CHECK_THROWS_AS(one.start(), std::logic_error);
}

TEST_CASE("terminate asks, kill does not") {
  for (const start_method how : all_start_methods) {
    CAPTURE(to_string(how));
    const signs sign;
    process asked(by(how), spin, sign("asked"));
    process killed(
        by(how),
        [](std::string at) {
          ::signal(SIGTERM, SIG_IGN);
          spin(at);
        },
        sign("killed"));
    asked.terminate();  // before the start: nothing
    asked.start();
    killed.start();
    sign.await("asked");
    sign.await("killed");
    asked.terminate();
    CHECK(ended_with(asked) == -SIGTERM);
    killed.terminate();
    CHECK_FALSE(killed.join_for(20ms));
    killed.kill();
    CHECK(ended_with(killed) == -SIGKILL);
    killed.kill();  // after its end: nothing
  }
}

TEST_CASE("terminate is a request to stop for who takes a stop token, and cancels a coroutine") {
  const signs sign;
  process obedient(until_stopped, sign("obedient"));
  process asleep("sleeper", sleeps_long, sign("asleep"));
  obedient.start();
  asleep.start();
  sign.await("obedient");
  sign.await("asleep");
  obedient.terminate();
  CHECK(ended_with(obedient) == 21);
  asleep.terminate();
  CHECK(ended_with(asleep) == 1);
  CHECK_THROWS_AS(std::rethrow_exception(asleep.failure()), task_cancelled);
}

TEST_CASE("who it is and whose it is") {
  CHECK(current_process().pid == ::getpid());
  CHECK(current_process().name == "processes_process_test");
  CHECK_FALSE(parent_process());
  CHECK(cpu_count() >= 1);
  for (const start_method how : all_start_methods) {
    CAPTURE(to_string(how));
    const signs sign;
    process one(
        by(how, "taster"),
        [](std::string at) {
          const process_info self = current_process();
          const process_info parent = parent_process().value();
          write_words(at, {self.name, std::to_string(self.pid), parent.name,
                           std::to_string(parent.pid), std::to_string(::getpid())});
        },
        sign("who"));
    one.start();
    CHECK(ended_with(one) == 0);
    const std::string pid = std::to_string(one.pid().value());
    CHECK(content(sign("who")) == "taster\n" + pid + "\nprocesses_process_test\n" +
                                      std::to_string(::getpid()) + "\n" + pid + "\n");
    runtime rt(pool_of(1, how));
    CHECK(rt.submit(processes, [] { return current_process().name; }).get() == "brigade-w0");
    CHECK(rt.submit(processes, [] { return parent_process().value().pid; }).get() == ::getpid());
  }
}

TEST_CASE("active_children are those that run") {
  CHECK(active_children().empty());
  const signs sign;
  process first("first", waits_for, sign("1"), sign("go"));
  process second("second", waits_for, sign("2"), sign("go"));
  process third("third", [] {});
  first.start();
  second.start();
  third.start();
  third.join();
  auto active = active_children();
  CHECK(active.size() == 2);
  CHECK(std::ranges::count(active, process_info{"first", first.pid().value()}) == 1);
  CHECK(std::ranges::count(active, process_info{"second", second.pid().value()}) == 1);
  give_sign(sign("go"));
  first.join();
  second.join();
  CHECK(active_children().empty());
}

TEST_CASE("the destructor waits for a process and ends a daemon") {
  const signs sign;
  {
    process one(write_words, sign("words"), std::vector<std::string>{"late"});
    one.start();
  }
  CHECK(content(sign("words")) == "late\n");
  process_options options;
  options.daemon = true;
  options.kill_grace = 10ms;
  int pid = 0;
  {
    process daemon(
        options,
        [](std::string at) {
          ::signal(SIGTERM, SIG_IGN);
          spin(at);
        },
        sign("daemon"));
    CHECK(daemon.daemon());
    daemon.start();
    sign.await("daemon");
    pid = daemon.pid().value();
  }
  CHECK_FALSE(os::read_process_stat(pid));
}

TEST_CASE("it can be moved, also while it runs") {
  const signs sign;
  process one(waits_for, sign("here"), sign("go"));
  one.start();
  process other(std::move(one));
  CHECK_FALSE(one.is_alive());
  sign.await("here");
  CHECK(other.is_alive());
  give_sign(sign("go"));
  process last;
  last = std::move(other);
  CHECK(ended_with(last) == 0);
  CHECK_THROWS_AS(process().start(), std::logic_error);
}

TEST_CASE("each has the variables it was given") {
  for (const start_method how : all_start_methods) {
    CAPTURE(to_string(how));
    const signs sign;
    process_options options = by(how);
    options.environment = {{"BRIGADE_TEST_SPICE", "cumin"}};
    process one(
        options, [](std::string at) { write_words(at, {std::getenv("BRIGADE_TEST_SPICE")}); },
        sign("spice"));
    one.start();
    CHECK(ended_with(one) == 0);
    CHECK(content(sign("spice")) == "cumin\n");
  }
}

TEST_CASE("another program cannot be forked from this one") {
  process_options options = by(start_method::fork);
  options.worker_program = "/no/such/program";
  CHECK_THROWS_AS(process(options, [] {}), std::invalid_argument);
  options.start = start_method::spawn;
  process one(options, [] {});
  CHECK(contains(message_of([&] { one.start(); }), "/no/such/program"));
  CHECK_THROWS_AS(one.start(), worker_start_failed);
}

TEST_CASE("a process may have processes and a pool of its own; a worker may not") {
  for (const start_method how : all_start_methods) {
    CAPTURE(to_string(how));
    process one(
        by(how),
        [](start_method inner) {
          int squared = 0;
          {
            runtime rt(pool_of(1, inner));
            squared = rt.submit(processes, square, 5).get();
          }
          process child(
              by(inner), [](int code) { std::exit(code); }, squared);
          child.start();
          child.join();
          std::exit(child.exit_code().value() + 1);
        },
        how);
    one.start();
    CHECK(ended_with(one) == 26);
  }
  runtime rt(pool_of(1));
  const auto nested = [] {
    process child([] {});
    child.start();
  };
  CHECK_THROWS_AS(rt.submit(processes, nested).get(), would_deadlock);
  const auto nested_pool = [] {
    runtime inner(pool_of(1));
    inner.submit(processes, square, 3).get();
  };
  CHECK(contains(message_of([&] { rt.submit(processes, nested_pool).get(); }),
                 "return the work to the host"));
}

TEST_CASE("threads start and wait for processes at once") {
  std::vector<std::jthread> threads;
  std::atomic<int> sum{0};
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&sum, i] {
      for (int round = 0; round < 5; ++round) {
        process one([](int code) { std::exit(code); }, i + 1);
        one.start();
        one.join();
        sum.fetch_add(one.exit_code().value());
      }
    });
  }
  threads.clear();
  CHECK(sum.load() == 5 * (1 + 2 + 3 + 4));
}

TEST_CASE("a thread that started a process may end before it") {
  const signs sign;
  process one(waits_for, sign("here"), sign("go"));
  std::thread([&] { one.start(); }).join();
  sign.await("here");
  CHECK_FALSE(one.join_for(50ms));
  give_sign(sign("go"));
  CHECK(ended_with(one) == 0);
}

TEST_CASE("the supervisor's death is the death of its processes; the next one starts") {
  const signs sign;
  process one(spin, sign("here"));
  one.start();
  sign.await("here");
  const int supervisor = os::read_process_stat(one.pid().value())->parent;
  ::kill(supervisor, SIGKILL);
  CHECK(ended_with(one) == -SIGKILL);
  CHECK(run(start_method::forkserver, [] { ::_exit(3); }) == 3);
}

TEST_CASE("a host that ignores SIGCHLD, or reaps whatever there is, knows the exit codes") {
  struct sigaction ignored {};
  struct sigaction before {};
  ignored.sa_handler = SIG_IGN;
  ::sigaction(SIGCHLD, &ignored, &before);
  CHECK(run(start_method::forkserver, [] { ::_exit(3); }) == 3);
  ::sigaction(SIGCHLD, &before, nullptr);
  std::atomic<bool> done{false};
  std::thread reaper([&] {
    while (!done.load()) {
      if (::waitpid(-1, nullptr, WNOHANG) <= 0) ::usleep(200);
    }
  });
  CHECK(run(start_method::spawn, [] { ::_exit(4); }) == 4);
  done.store(true);
  reaper.join();
}
