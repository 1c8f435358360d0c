// How workers begin, what they are given, how they age and are replaced, and how many there are.
#include <algorithm>
#include <csignal>
#include <map>
#include <set>
#include <thread>

#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <brigade/os/cpu.hpp>
#include <brigade/os/proc.hpp>
#include <brigade/os/process.hpp>

#include "executors/processes/pool_support.hpp"

using namespace pool_test;

namespace {

int worker_pid() { return ::getpid(); }

std::string dish = "raw";
void cook(std::string how, int times) { dish = how + " " + std::to_string(times); }
std::string served() { return dish; }

std::string variable(std::string name) {
  const char* const value = std::getenv(name.c_str());
  return value != nullptr ? value : "(none)";
}

std::vector<std::vector<char>> hoard;
void grow(std::size_t bytes) { hoard.emplace_back(bytes, '1'); }

// Runs until somebody gives the sign `go`.
int stay(std::string here, std::string go) {
  give_sign(here);
  while (!std::filesystem::exists(go))
    ::usleep(1000);
  return 1;
}

bool has_workers(runtime& rt, std::size_t count) {
  return testing::eventually([&] { return rt.workers().size() == count; });
}

template <class Error>
Error caught(runtime& rt) {
  try {
    (void)rt.submit({.on = processes, .name = "first"}, square, 3).get();
  } catch (const Error& failure) {
    return failure;
  }
  FAIL("it ran");
  throw 0;
}

}  // namespace

TEST_CASE("an initializer runs in every worker before its first task") {
  for (const start_method how : all_start_methods) {
    CAPTURE(to_string(how));
    runtime_options options = pool_of(2, how);
    options.processes.initializer = {cook, "fried", 2};
    runtime rt(std::move(options));
    for (int i = 0; i < 6; ++i)
      CHECK(rt.submit(processes, served).get() == "fried 2");
    // Also in one that stands in for another.
    CHECK_THROWS_AS(rt.submit(processes, [] { ::_exit(1); }).get(), worker_lost);
    for (int i = 0; i < 6; ++i)
      CHECK(rt.submit(processes, served).get() == "fried 2");
  }
}

TEST_CASE("an initializer that throws fails what waits, and leaves nothing behind") {
  for (const start_method how : all_start_methods) {
    CAPTURE(to_string(how));
    runtime_options options = pool_of(2, how);
    options.processes.initializer = [] { throw std::out_of_range("no such sauce"); };
    runtime rt(std::move(options));
    for (int i = 0; i < 3; ++i) {
      const auto failure = caught<initializer_failed>(rt);
      CHECK(contains(failure.what(), "no such sauce"));
      CHECK(failure.task_name() == "first");
    }
    try {
      (void)rt.submit(processes, square, 2).get();
    } catch (const initializer_failed& outer) {
      CHECK_THROWS_AS(std::rethrow_if_nested(outer), std::out_of_range);
    }
    CHECK(testing::eventually([&] { return rt.workers().empty(); }));
    CHECK(rt.stats(processes).workers_lost == 0);
  }
}

TEST_CASE("an initializer that ends the process fails what waits") {
  for (const start_method how : all_start_methods) {
    CAPTURE(to_string(how));
    runtime_options options = pool_of(1, how);
    options.processes.initializer = [] { ::_exit(9); };
    runtime rt(std::move(options));
    const auto failure = caught<initializer_failed>(rt);
    CHECK(contains(failure.what(), "exited with code 9 in it"));
  }
}

TEST_CASE("an initializer that failed may work the next time") {
  const signs sign;
  runtime_options options = pool_of(1);
  options.processes.initializer = {[](std::string at) {
                                     if (!std::filesystem::exists(at))
                                       throw std::runtime_error("not yet");
                                   },
                                   sign("now")};
  runtime rt(std::move(options));
  (void)caught<initializer_failed>(rt);
  give_sign(sign("now"));
  check_usable(rt);
}

TEST_CASE("a preload runs once, in the supervisor, and forked workers have what it made") {
  const signs sign;
  runtime_options options = pool_of(3);
  options.processes.preload = {[](std::string at) {
                                 cook("stewed", ::getpid());
                                 std::ofstream(at, std::ios::app) << "once\n";
                               },
                               sign("log")};
  runtime rt(std::move(options));
  std::set<std::string> dishes;
  for (int i = 0; i < 6; ++i)
    dishes.insert(rt.submit(processes, served).get());
  CHECK(dishes.size() == 1);
  const int supervisor = os::read_process_stat(rt.submit(processes, worker_pid).get())->parent;
  CHECK(*dishes.begin() == "stewed " + std::to_string(supervisor));
  std::ifstream log(sign("log"));
  CHECK(std::string(std::istreambuf_iterator<char>(log), {}) == "once\n");
  CHECK(rt.workers().at(0).start_method == "forkserver");
}

TEST_CASE("a preload that starts a thread has the workers spawned, and it is said") {
  runtime_options options = pool_of(1);
  options.processes.preload = [] { std::thread([] { ::pause(); }).detach(); };
  runtime rt(std::move(options));
  check_usable(rt);
  CHECK(rt.workers().at(0).start_method == "spawn");
}

TEST_CASE("a preload that throws fails what waits") {
  runtime_options options = pool_of(1);
  options.processes.preload = [] { throw std::runtime_error("burnt"); };
  runtime rt(std::move(options));
  CHECK(contains(caught<worker_start_failed>(rt).what(), "burnt"));
}

TEST_CASE("a worker is replaced after its number of tasks, and no task is lost") {
  for (const start_method how : all_start_methods) {
    CAPTURE(to_string(how));
    runtime_options options = pool_of(2, how);
    options.processes.max_tasks_per_worker = 3;
    runtime rt(std::move(options));
    std::vector<future<int>> tasks;
    for (int i = 0; i < 30; ++i)
      tasks.push_back(rt.submit(processes, worker_pid));
    std::map<int, int> ran;
    for (auto& each : tasks)
      ++ran[each.get()];
    CHECK(ran.size() >= 10);
    for (const auto& [pid, count] : ran)
      CHECK(count <= 3);
    CHECK(rt.stats(processes).workers_lost == 0);
  }
}

TEST_CASE("a worker that has grown too much is replaced") {
  runtime_options options = pool_of(1);
  options.processes.growth_limit_bytes = std::uint64_t{64} << 20;  // sanitizers multiply
  runtime rt(std::move(options));
  rt.submit(processes, grow, std::size_t{40} << 20).get();  // what the first leaves is warm
  const int first = rt.submit(processes, worker_pid).get();
  rt.submit(processes, grow, std::size_t{4} << 20).get();
  CHECK(rt.submit(processes, worker_pid).get() == first);
  rt.submit(processes, grow, std::size_t{80} << 20).get();
  CHECK(rt.submit(processes, worker_pid).get() != first);
  CHECK(rt.stats(processes).workers_lost == 0);
}

TEST_CASE("a worker that is idle for too long ends, and starts again for the next task") {
  runtime_options options = pool_of(3);
  options.processes.idle_timeout = 30ms;
  runtime rt(std::move(options));
  CHECK(rt.submit(processes, square, 3).get() == 9);
  CHECK(has_workers(rt, 0));
  CHECK(rt.worker_count(processes) == 3);
  check_usable(rt);
  const signs sign;
  std::vector<future<int>> running;
  for (int i = 0; i < 3; ++i) {
    running.push_back(rt.submit(processes, stay, sign(std::to_string(i)), sign("go")));
  }
  for (int i = 0; i < 3; ++i)
    sign.await(std::to_string(i));  // all three at once
  give_sign(sign("go"));
  for (auto& each : running)
    each.get();
  CHECK(has_workers(rt, 0));
  CHECK(rt.stats(processes).workers_lost == 0);
}

TEST_CASE("what waits in a busy worker's memory has another worker started for it") {
  for (int round = 0; round < 5; ++round) {
    const signs sign;
    runtime_options options = pool_of(1);
    options.processes.idle_timeout = 1h;
    runtime rt(std::move(options));
    // Nobody waits for a future here: who does would look after the tasks himself.
    auto warm = rt.submit(processes, give_sign, sign("warm"));
    sign.await("warm");
    auto first = rt.submit(processes, stay, sign("first"), sign("go"));
    auto second = rt.submit(processes, give_sign, sign("second"));  // as a rule lent at once
    sign.await("first");
    rt.resize(processes, 2);
    CHECK(testing::eventually([&] { return std::filesystem::exists(sign("second")); }));
    give_sign(sign("go"));
    CHECK(first.get() == 1);
    second.get();
    warm.get();
  }
}

TEST_CASE("a pool grows and shrinks while it runs") {
  const signs sign;
  runtime rt(pool_of(1));
  CHECK_THROWS_AS(rt.resize(processes, 0), std::invalid_argument);
  CHECK_THROWS_AS(rt.resize(processes, 5000), std::invalid_argument);
  CHECK_THROWS_AS(rt.resize(loop, 3), std::invalid_argument);
  rt.resize(processes, 2);  // before the first task
  check_usable(rt);
  CHECK(has_workers(rt, 2));
  rt.resize(processes, 5);
  CHECK(rt.worker_count(processes) == 5);
  CHECK(has_workers(rt, 5));
  std::vector<future<int>> running;
  for (int i = 0; i < 5; ++i) {
    running.push_back(rt.submit(processes, stay, sign(std::to_string(i)), sign("go")));
  }
  for (int i = 0; i < 5; ++i)
    sign.await(std::to_string(i));
  rt.resize(processes, 2);
  give_sign(sign("go"));
  for (auto& each : running)
    CHECK(each.get() == 1);
  CHECK(has_workers(rt, 2));
  check_usable(rt);
  rt.resize(processes, 3);
  CHECK(has_workers(rt, 3));
  CHECK(rt.stats(processes).workers_lost == 0);
}

TEST_CASE("limits, niceness and CPUs are as wished") {
  for (const start_method how : all_start_methods) {
    CAPTURE(to_string(how));
    runtime_options options = pool_of(2, how);
    options.processes.limits = {.open_files = 50, .file_bytes = 100000, .core_bytes = 0};
    options.processes.nice = 3;
    options.processes.pin = true;
    runtime rt(std::move(options));
    const auto limit_of = [](int resource) {
      rlimit limit{};
      ::getrlimit(static_cast<__rlimit_resource>(resource), &limit);
      return std::pair(std::uint64_t{limit.rlim_cur}, std::uint64_t{limit.rlim_max});
    };
    const auto expect = [](std::uint64_t value) { return std::pair(value, value); };
    CHECK(rt.submit(processes, limit_of, static_cast<int>(RLIMIT_NOFILE)).get() == expect(50));
    CHECK(rt.submit(processes, limit_of, static_cast<int>(RLIMIT_FSIZE)).get() == expect(100000));
    CHECK(rt.submit(processes, limit_of, static_cast<int>(RLIMIT_CORE)).get() == expect(0));
    const int here = ::getpriority(PRIO_PROCESS, 0);
    CHECK(rt.submit(processes, [] { return ::getpriority(PRIO_PROCESS, 0); }).get() == here + 3);
    const auto place = [] { return std::pair(current().worker, os::allowed_cpus()); };
    const std::vector<unsigned> all = os::allowed_cpus();
    for (int i = 0; i < 4; ++i) {
      const auto [worker, cpus] = rt.submit(processes, place).get();
      CHECK(cpus == std::vector<unsigned>{all[worker % all.size()]});
    }
  }
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
TEST_CASE("a task that allocates up to the limit fails alone, and its worker lives") {
  runtime_options options = pool_of(1);
  options.processes.limits.memory_bytes = std::uint64_t{200} << 20;
  runtime rt(std::move(options));
  const int before = rt.submit(processes, worker_pid).get();
  const auto glutton = [] {
    std::vector<std::vector<char>> eaten;
    for (;;)
      eaten.emplace_back(std::size_t{10} << 20, 'x');
  };
  CHECK_THROWS_AS(rt.submit(processes, glutton).get(), std::bad_alloc);
  CHECK(rt.submit(processes, worker_pid).get() == before);
}
#endif

TEST_CASE("a result or an argument beyond its budget fails its own task, and the worker lives") {
  runtime_options options = pool_of(1);
  options.processes.max_message_bytes = std::size_t{1} << 20;
  runtime rt(std::move(options));
  const int before = rt.submit(processes, worker_pid).get();
  const auto much = [](std::size_t bytes) { return std::vector<char>(bytes, 'x'); };
  const std::string complaint =
      message_of([&] { (void)rt.submit(processes, much, std::size_t{2} << 20).get(); });
  CHECK(contains(complaint, "1048576 bytes"));
  CHECK_THROWS_AS(rt.submit(processes, much, std::size_t{2} << 20).get(), codec_error);
  const auto size = [](const std::vector<char>& given) { return given.size(); };
  CHECK_THROWS_AS(rt.submit(processes, size, std::vector<char>(std::size_t{2} << 20)).get(),
                  codec_error);
  CHECK(rt.submit(processes, much, std::size_t{900000}).get().size() == 900000);
  CHECK(rt.submit(processes, worker_pid).get() == before);
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
TEST_CASE("a result of 2 GB is beyond the budget that there is by default") {
  runtime rt(pool_of(1));
  const auto huge = [] { return std::vector<std::vector<char>>(2000, std::vector<char>(1000000)); };
  CHECK_THROWS_AS(rt.submit(processes, huge).get(), codec_error);
  check_usable(rt);
}
#endif

TEST_CASE("limits and CPUs that could never be are refused when the runtime is made") {
  runtime_options options = pool_of(1);
  options.processes.cpus = {100000};
  CHECK(contains(message_of([&] { runtime rt(options); }), "CPU 100000"));
  options = pool_of(1);
  options.processes.nice = 50;
  CHECK(contains(message_of([&] { runtime rt(options); }), "nice 50"));
  options = pool_of(1);
  options.processes.environment = {{"A=B", "c"}};
  CHECK(contains(message_of([&] { runtime rt(options); }), "'A=B'"));
  options = pool_of(1);
  options.processes.environment = {{std::string("A\0B", 3), "c"}};
  CHECK(contains(message_of([&] { runtime rt(options); }), "'A' names no variable"));
  options = pool_of(1);
  options.processes.environment = {{"A", std::string("\0", 1)}};
  CHECK(contains(message_of([&] { runtime rt(options); }), "the value of 'A'"));
}

TEST_CASE("a worker has variables of its own, and its share of the CPUs") {
  const char* const known = std::getenv("OMP_NUM_THREADS");
  const std::string before = known != nullptr ? known : "";
  ::unsetenv("OMP_NUM_THREADS");
  ::setenv("MKL_NUM_THREADS", "7", 1);
  for (const start_method how : all_start_methods) {
    CAPTURE(to_string(how));
    runtime_options options = pool_of(2, how);
    options.processes.environment = {{"OPENBLAS_NUM_THREADS", "5"}};
    options.processes.environment_of = [](unsigned worker) {
      return environment_list{{"BRIGADE_TEST_SEAT", std::to_string(worker)}};
    };
    runtime rt(std::move(options));
    const auto seat = [] {
      return variable("BRIGADE_TEST_SEAT") == std::to_string(current().worker);
    };
    for (int i = 0; i < 4; ++i)
      CHECK(rt.submit(processes, seat).get());
    const std::string share = std::to_string(std::max(1U, os::usable_cpus() / 2));
    CHECK(rt.submit(processes, variable, "OMP_NUM_THREADS").get() == share);
    CHECK(rt.submit(processes, variable, "OPENBLAS_NUM_THREADS").get() == "5");
    CHECK(rt.submit(processes, variable, "MKL_NUM_THREADS").get() == "7");
  }
  ::unsetenv("MKL_NUM_THREADS");
  if (!before.empty()) ::setenv("OMP_NUM_THREADS", before.c_str(), 1);
}
