// Whatever dies is replaced; who had nothing to do with it does not notice.
#include <algorithm>
#include <csignal>
#include <random>

#include <unistd.h>

#include <brigade/os/proc.hpp>
#include <brigade/os/process.hpp>

#include "executors/processes/pool_support.hpp"

using namespace pool_test;

namespace {

int worker_pid() { return ::getpid(); }

// The parent of a worker. One whose supervisor has just died may have another parent by now.
int supervisor_of(runtime& rt) {
  for (;;) {
    const auto worker = os::read_process_stat(rt.submit(processes, worker_pid).get());
    const auto parent = worker ? os::read_process_stat(worker->parent) : std::nullopt;
    if (parent && os::is_descendant(worker->parent, ::getpid())) return worker->parent;
  }
}

bool whole(runtime& rt, std::size_t workers) {
  return testing::eventually([&] { return rt.workers().size() == workers; });
}

// None of those workers is there any more, but as many others.
bool replaced(runtime& rt, const std::vector<worker_info>& before) {
  return testing::eventually([&] {
    const auto now = rt.workers();
    return now.size() >= before.size() &&
           std::ranges::find_first_of(now, before, {}, &worker_info::pid, &worker_info::pid) ==
               now.end();
  });
}

}  // namespace

TEST_CASE("nothing is started before the first task") {
  runtime rt(pool_of(3));
  CHECK(rt.worker_count(processes) == 3);
  CHECK(rt.workers().empty());
  CHECK(os::children_of(::getpid()).empty());
}

TEST_CASE("all workers start with the first task, and each is told of") {
  std::atomic<int> started{0};
  std::atomic<int> stopped{0};
  {
    runtime_options options = pool_of(3);
    options.hooks.on_worker_start = [&](const worker_info& worker) {
      CHECK(worker.executor == executor_kind::processes);
      CHECK(worker.pid > 0);
      started.fetch_add(1);
    };
    options.hooks.on_worker_stop = [&](const worker_info&) { stopped.fetch_add(1); };
    runtime rt(std::move(options));
    check_usable(rt);
    CHECK(whole(rt, 3));
    const auto workers = rt.workers();
    for (unsigned i = 0; i < 3; ++i) {
      CHECK(workers[i].index == i);
      CHECK(os::is_descendant(workers[i].pid, ::getpid()));
    }
  }
  CHECK(started.load() == 3);
  CHECK(stopped.load() == 3);
}

TEST_CASE("an idle worker that is killed is replaced") {
  runtime rt(pool_of(2));
  check_usable(rt);
  REQUIRE(whole(rt, 2));
  const auto victim = rt.workers()[0];
  ::kill(victim.pid, SIGKILL);
  CHECK(replaced(rt, {victim}));
  CHECK(whole(rt, 2));
  check_usable(rt);
  CHECK(rt.stats(processes).workers_lost == 1);
}

TEST_CASE("the death of the supervisor costs its running tasks, and nothing else") {
  for (const start_method how : all_start_methods) {
    CAPTURE(to_string(how));
    const signs sign;
    runtime rt(pool_of(2, how));
    const int supervisor = supervisor_of(rt);
    auto first = rt.submit(processes, spin, sign("1"));
    auto second = rt.submit(processes, spin, sign("2"));
    std::vector<future<int>> queued;
    for (int i = 0; i < 10; ++i)
      queued.push_back(rt.submit(processes, square, i));
    sign.await("1");
    sign.await("2");
    ::kill(supervisor, SIGKILL);
    for (auto* const each : {&first, &second}) {
      try {
        each->get();
        FAIL("it came back");
      } catch (const worker_lost& lost) {
        CHECK_FALSE(lost.exit_code());
        CHECK_FALSE(lost.signal());
        CHECK(lost.started());
        CHECK(contains(lost.what(), "supervisor"));
      }
    }
    for (int i = 0; i < 10; ++i)
      CHECK(queued[static_cast<std::size_t>(i)].get() == i * i);
    CHECK(supervisor_of(rt) != supervisor);
  }
}

TEST_CASE("a host that inherits orphans, as init of a container does, reaps its lost workers") {
  os::become_subreaper();
  {
    runtime rt(pool_of(2));
    const int supervisor = supervisor_of(rt);
    REQUIRE(whole(rt, 2));
    const auto before = rt.workers();
    ::kill(supervisor, SIGKILL);
    CHECK(replaced(rt, before));
  }
  CHECK(os::children_of(::getpid()).empty());
  os::become_subreaper(false);
}

TEST_CASE("an idle pool whose supervisor dies is whole again without being asked") {
  runtime rt(pool_of(1));
  const int supervisor = supervisor_of(rt);
  const auto before = rt.workers();
  ::kill(supervisor, SIGKILL);
  CHECK(replaced(rt, before));
}

TEST_CASE("the supervisor dies again and again while tasks come") {
  runtime rt(pool_of(2));
  for (int round = 0; round < 10; ++round) {
    const int supervisor = supervisor_of(rt);
    std::vector<future<int>> tasks;
    for (int i = 0; i < 50; ++i) {
      tasks.push_back(rt.submit({.on = processes, .retries = 20, .idempotent = true}, square, i));
    }
    ::kill(supervisor, SIGKILL);
    for (int i = 0; i < 50; ++i)
      CHECK(tasks[static_cast<std::size_t>(i)].get() == i * i);
  }
}

TEST_CASE("random kills under load lose at most the running tasks") {
  runtime rt(pool_of(3));
  check_usable(rt);
  std::mt19937 random(7);
  int lost = 0;
  int kills = 0;
  std::vector<future<int>> tasks;
  for (int i = 0; i < 1500; ++i) {
    tasks.push_back(rt.submit(processes, square, i));
    if (i % 50 != 0) continue;
    const auto workers = rt.workers();
    if (workers.empty()) continue;
    ::kill(workers[random() % workers.size()].pid, SIGKILL);
    ++kills;
  }
  for (int i = 0; i < 1500; ++i) {
    try {
      const int got = tasks[static_cast<std::size_t>(i)].get();
      CHECK(got == i * i);
    } catch (const worker_lost& failure) {
      CHECK(failure.signal() == SIGKILL);
      ++lost;
    }
  }
  CHECK(lost <= kills);
  check_usable(rt);
}

TEST_CASE("a pool that was used ends without a trace while a worker is being replaced") {
  for (int i = 0; i < 10; ++i) {
    runtime rt(pool_of(2));
    auto lost = rt.submit(processes, [] { ::_exit(1); });
    CHECK_THROWS_AS(lost.get(), worker_lost);
  }
}
