// The start method fork: workers that see what the host had in memory when its runtime was made.
#include <csignal>
#include <thread>

#include <unistd.h>

#include <brigade/os/proc.hpp>
#include <brigade/os/process.hpp>

#include <brigade/processes/process.hpp>

#include "executors/processes/pool_support.hpp"

using namespace pool_test;

namespace {

std::vector<std::string> recipes;

std::string recipe(std::size_t number) { return recipes.at(number); }

struct marks_its_end {
  std::string path;
  ~marks_its_end() {
    if (!path.empty()) give_sign(path);
  }
} at_exit_of_the_host;

}  // namespace

TEST_CASE("workers see the host's memory as it was when the runtime was made") {
  recipes = {"soup", "bread"};
  runtime rt(pool_of(2, start_method::fork));
  recipes.push_back("later");
  CHECK(rt.submit(processes, recipe, 1).get() == "bread");
  CHECK_THROWS_AS(rt.submit(processes, recipe, 2).get(), std::out_of_range);
  CHECK(rt.submit(processes, [] { return recipes.size(); }).get() == 2);
  CHECK(rt.workers().at(0).start_method == "fork");
}

TEST_CASE("a supervisor that was forked is replaced by one that sees the same") {
  recipes = {"soup"};
  runtime rt(pool_of(1, start_method::fork));
  recipes = {"other"};
  const auto worker = [] { return ::getpid(); };
  for (int round = 0; round < 3; ++round) {
    const int supervisor = os::read_process_stat(rt.submit(processes, worker).get())->parent;
    ::kill(supervisor, SIGKILL);
    CHECK(testing::eventually([&] { return !os::read_process_stat(supervisor); }));
    CHECK(rt.submit({.on = processes, .retries = 5, .idempotent = true}, recipe, 0).get() ==
          "soup");
  }
}

TEST_CASE("without what forks supervisors a lost supervisor is the end, and that is said") {
  runtime rt(pool_of(1, start_method::fork));
  check_usable(rt);
  const int nursery = os::children_of(::getpid()).at(0);
  const auto worker = [] { return ::getpid(); };
  const int supervisor = os::read_process_stat(rt.submit(processes, worker).get())->parent;
  ::kill(nursery, SIGKILL);
  check_usable(rt);
  ::kill(supervisor, SIGKILL);
  CHECK(testing::eventually([&] { return rt.workers().empty(); }));
  CHECK(contains(message_of([&] { (void)rt.submit(processes, square, 2).get(); }),
                 "make a new runtime"));
}

TEST_CASE("a process with threads is not forked") {
  std::atomic<bool> done{false};
  std::thread other([&] {
    while (!done.load())
      ::usleep(500);
  });
  const std::string complaint = message_of([] { runtime rt(pool_of(1, start_method::fork)); });
  CHECK(contains(complaint, "single thread"));
  CHECK(contains(complaint, "brigade::init(argc, argv)"));
  process_options options;
  options.start = start_method::fork;
  process one(options, [] {});
  CHECK_THROWS_AS(one.start(), worker_start_failed);
  done.store(true);
  other.join();
}

TEST_CASE("what the host does at its end is not done by its workers") {
  const signs sign;
  at_exit_of_the_host.path = sign("end");
  {
    runtime rt(pool_of(2, start_method::fork));
    check_usable(rt);
    CHECK_THROWS_AS(rt.submit(processes, [] { std::exit(3); }).get(), worker_lost);
  }
  at_exit_of_the_host.path.clear();
  CHECK_FALSE(std::filesystem::exists(sign("end")));
}

TEST_CASE("a process that is forked sees memory as it was at its start") {
  const signs sign;
  recipes = {"first"};
  process_options options;
  options.start = start_method::fork;
  process one(
      options, [](std::string at) { std::ofstream(at) << recipe(0); }, sign("recipe"));
  recipes = {"second"};
  one.start();
  recipes = {"third"};
  one.join();
  CHECK(one.exit_code() == 0);
  std::ifstream in(sign("recipe"));
  CHECK(std::string(std::istreambuf_iterator<char>(in), {}) == "second");
}
