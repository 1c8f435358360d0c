// What a task finds around itself in a worker process.
#include <csignal>
#include <cstdlib>
#include <map>
#include <set>

#include <dlfcn.h>
#include <fcntl.h>
#include <unistd.h>

#include <brigade/os/proc.hpp>
#include <brigade/os/thread.hpp>

#include "executors/processes/pool_support.hpp"

using namespace pool_test;

namespace {

struct whereabouts {
  executor_kind executor;
  unsigned worker;
  int pid;
  std::string name;
  std::uint64_t id;
};

whereabouts where_am_i() {
  const current_task here = current();
  return {here.executor.value(), here.worker, here.pid, here.name, here.id};
}

task<int> with_helpers(int x) {
  auto doubled = submit(threads, [](int y) { return 2 * y; }, x);
  const int twice = co_await std::move(doubled);
  co_await sleep_for(1ms);
  auto more = co_await submit_async(loop, [](int y) { return y + 1; }, twice);
  co_return co_await std::move(more);
}

task<std::string> named() {
  co_await sleep_for(1ms);
  const current_task here = current();
  co_return here.name + " on " + std::string(to_string(here.executor.value()));
}

task<void> fails() {
  co_await sleep_for(1ms);
  throw std::out_of_range("far");
}

std::map<int, std::string> descriptors() {
  std::map<int, std::string> found;
  for (int fd = 0; fd < 256; ++fd) {
    std::string target(256, '\0');
    const auto path = "/proc/self/fd/" + std::to_string(fd);
    const ssize_t n = ::readlink(path.c_str(), target.data(), target.size());
    if (n > 0) found[fd] = target.substr(0, static_cast<std::size_t>(n));
  }
  return found;
}

int global_number = 1;
struct counts_constructions {
  counts_constructions() { ++made; }
  inline static int made = 0;
} constructed;

}  // namespace

TEST_CASE("a task knows where it is") {
  runtime rt(pool_of(1));
  auto asked = rt.submit({.on = processes, .name = "peel"}, where_am_i);
  const auto id = asked.id();
  const whereabouts here = asked.get();
  CHECK(here.executor == executor_kind::processes);
  CHECK(here.worker == 0);
  CHECK(here.pid == rt.workers()[0].pid);
  CHECK(here.name == "peel");
  CHECK(here.id == id);
}

TEST_CASE("a coroutine is driven to its end by the worker that took it") {
  for (const start_method how : all_start_methods) {
    runtime rt(pool_of(1, how));
    CHECK(rt.submit(processes, with_helpers, 20).get() == 41);
    CHECK(rt.submit({.on = processes, .name = "roast"}, named).get() == "roast on processes");
    CHECK_THROWS_AS(rt.submit(processes, fails).get(), std::out_of_range);
  }
}

TEST_CASE("free functions reach the worker's own loop and threads") {
  runtime rt(pool_of(1));
  const auto uses_threads = [](int x) {
    const int pid = submit(threads, [] { return ::getpid(); }).get();
    return pid == ::getpid() ? submit(loop, square, x).get() : -1;
  };
  CHECK(rt.submit(processes, uses_threads, 6).get() == 36);
  CHECK(rt.submit(processes, [] { return current_runtime().worker_count(processes); }).get() == 0);
}

TEST_CASE("a worker has no pool of its own and says so") {
  runtime rt(pool_of(1));
  auto nested = rt.submit(processes, [] { return submit(processes, square, 3).get(); });
  try {
    nested.get();
    FAIL("it ran");
  } catch (const would_deadlock& refusal) {
    CHECK(contains(refusal.what(), "return the work to the host"));
  }
  check_usable(rt);
}

TEST_CASE("a runtime made in a worker has no pool either") {
  runtime rt(pool_of(1));
  auto nested = rt.submit(processes, [](int x) {
    runtime own;
    return own.submit(threads, square, x).get() + own.submit(processes, square, x).get();
  }, 3);
  CHECK_THROWS_AS(nested.get(), would_deadlock);
  check_usable(rt);
}

TEST_CASE("no foreign descriptor reaches a worker") {
  const int leaking = ::open("/dev/zero", O_RDONLY);  // not close-on-exec, as in foreign code
  for (const start_method how : all_start_methods) {
    CAPTURE(to_string(how));
    runtime rt(pool_of(3, how));
    check_usable(rt);
    const auto open = rt.submit(processes, descriptors).get();
    CHECK(open.at(0) == "/dev/null");
    int sockets = 0;
    int blocks = 0;
    int others = 0;
    for (const auto& [fd, target] : open) {
      if (fd <= 2 || contains(target, "/proc/")) continue;
      CAPTURE(target);
      CHECK_FALSE(contains(target, "/dev/zero"));
      sockets += target.starts_with("socket:") ? 1 : 0;
      const bool of_blocks =
          contains(target, "memfd:brigade-blocks") || contains(target, "memfd:brigade-answers");
      blocks += of_blocks ? 1 : 0;
      others += of_blocks || target.starts_with("socket:") || target.starts_with("pipe:") ? 0 : 1;
    }
    CHECK(sockets == 1);  // the channel to the host
    CHECK(blocks == 2);   // of large arguments and results
    CHECK(others == 0);   // the lifeline and libuv's own are pipes
  }
  ::close(leaking);
}

TEST_CASE("a worker's signals are fresh, but for Ctrl-C, which is the host's business") {
  struct sigaction ignored {};
  struct sigaction before {};
  ignored.sa_handler = SIG_IGN;
  ::sigaction(SIGUSR1, &ignored, &before);
  for (const start_method how : all_start_methods) {
    runtime rt(pool_of(1, how));
    const auto handler_of = [](int signal) {
      struct sigaction now {};
      ::sigaction(signal, nullptr, &now);
      return now.sa_handler == SIG_DFL ? 0 : now.sa_handler == SIG_IGN ? 1 : 2;
    };
    CHECK(rt.submit(processes, handler_of, SIGUSR1).get() == 0);
    CHECK(rt.submit(processes, handler_of, SIGTERM).get() == 0);
    CHECK(rt.submit(processes, handler_of, SIGCHLD).get() == 0);
    CHECK(rt.submit(processes, handler_of, SIGINT).get() == 1);
  }
  ::sigaction(SIGUSR1, &before, nullptr);
}

TEST_CASE("a worker sees globals as main began with them, and keeps what tasks make of them") {
  for (const start_method how : all_start_methods) {
    runtime rt(pool_of(1, how));
    global_number = 50;
    CHECK(rt.submit(processes, [] { return global_number; }).get() == 1);
    CHECK(rt.submit(processes, [] { return global_number = 9; }).get() == 9);
    CHECK(rt.submit(processes, [] { return global_number; }).get() == 9);
    CHECK(global_number == 50);
    CHECK(rt.submit(processes, [] { return counts_constructions::made; }).get() == 1);
    global_number = 1;
  }
}

TEST_CASE("workers have the variables they were given, and seeds of their own") {
  runtime_options options = pool_of(3);
  options.processes.environment = {{"BRIGADE_TEST_SPICE", "cumin"}, {"BRIGADE_TEST_HERB", "dill"}};
  ::setenv("BRIGADE_TEST_HERB", "sage", 1);
  runtime rt(std::move(options));
  const auto variable = [](std::string name) { return std::string(std::getenv(name.c_str())); };
  CHECK(rt.submit(processes, variable, "BRIGADE_TEST_SPICE").get() == "cumin");
  CHECK(rt.submit(processes, variable, "BRIGADE_TEST_HERB").get() == "dill");
  ::unsetenv("BRIGADE_TEST_HERB");

  const signs sign;
  const auto roll = [](std::string at, int mine) {
    give_sign(at + std::to_string(mine));
    for (int other = 0; other < 3; ++other) {
      while (!std::filesystem::exists(at + std::to_string(other))) ::usleep(1000);
    }
    return std::rand();
  };
  std::vector<future<int>> rolls;
  for (int i = 0; i < 3; ++i) rolls.push_back(rt.submit(processes, roll, sign("r"), i));
  std::set<int> different;
  for (auto& each : rolls) different.insert(each.get());
  CHECK(different.size() == 3);
}

TEST_CASE("CPU time of a task is measured while somebody observes") {
  struct quiet : observer {};
  runtime_options options = pool_of(1);
  options.hooks.observers.push_back(std::make_shared<quiet>());
  runtime rt(std::move(options));
  const auto burn = [] {
    const auto until = os::thread_cpu_time() + 20ms;
    while (os::thread_cpu_time() < until) {
    }
  };
  auto burnt = rt.submit(processes, burn);
  burnt.wait();
  CHECK(burnt.stats().cpu >= 20ms);
  burnt.get();
}

TEST_CASE("functions and tasks of a library that was loaded while the program runs") {
  void* const plugin = ::dlopen(HELPERS "/libpool_plugin.so", RTLD_NOW);
  REQUIRE(plugin != nullptr);
  const auto function =
      reinterpret_cast<int (*(*)())(int)>(::dlsym(plugin, "plugin_function"));
  const auto submit_its_own = reinterpret_cast<void (*)(runtime&, future<int>&, int)>(
      ::dlsym(plugin, "plugin_submit"));
  REQUIRE((function != nullptr));
  REQUIRE((submit_its_own != nullptr));
  for (const start_method how : all_start_methods) {
    runtime rt(pool_of(1, how));
    CHECK(rt.submit(processes, function(), 1).get() == 1001);
    CHECK(rt.submit(processes, [](int (*f)(int), int x) { return f(x); }, function(), 2).get() ==
          1002);
    future<int> its_own;
    submit_its_own(rt, its_own, 5);
    CHECK(its_own.get() == 15);
  }
}

TEST_CASE("a worker has one thread until it runs a task that can be stopped") {
  runtime rt(pool_of(1));
  check_usable(rt);
  const auto threads_here = [] { return os::threads_of(::getpid()).size(); };
  const std::size_t before = rt.submit(processes, threads_here).get();
  CHECK(before <= 2);  // the thread sanitizer has one of its own
  CHECK(rt.submit(processes, [] { return os::thread_name(); }).get() == "brigade-w0");
  CHECK(rt.submit(processes, [](std::stop_token) { return 1; }).get() == 1);
  CHECK(rt.submit(processes, threads_here).get() > before);
}
