// Cancelling, killing and deadlines: who is hit, how hard, and who is not.
#include <csignal>
#include <stop_token>
#include <thread>

#include <sys/wait.h>
#include <unistd.h>

#include <brigade/os/proc.hpp>

#include "executors/processes/pool_support.hpp"

using namespace pool_test;

namespace {

int obeys(std::stop_token stop, std::string at) {
  give_sign(at);
  while (!stop.stop_requested())
    std::this_thread::yield();
  return 5;
}

int worker_pid() { return ::getpid(); }

task<int> sleeps(std::string at) {
  give_sign(at);
  co_await sleep_for(1h);
  co_return 1;
}

}  // namespace

TEST_CASE("a task that takes a stop token is asked and may answer; its worker goes on") {
  for (const start_method how : all_start_methods) {
    const signs sign;
    runtime rt(pool_of(1, how));
    const int pid = rt.submit(processes, worker_pid).get();
    auto running = rt.submit(processes, obeys, sign("a"));
    sign.await("a");
    CHECK(running.cancel());
    CHECK(running.get() == 5);
    CHECK(rt.submit(processes, worker_pid).get() == pid);
  }
}

TEST_CASE("a request to stop meets only the task it was meant for") {
  const signs sign;
  runtime rt(pool_of(1));
  for (int i = 0; i < 20; ++i) {
    const std::string name = std::to_string(i);
    auto running = rt.submit(processes, obeys, sign(name));
    sign.await(name);
    running.cancel();
    CHECK(running.get() == 5);
    CHECK_FALSE(rt.submit(processes, [](std::stop_token s) { return s.stop_requested(); }).get());
  }
}

TEST_CASE("a coroutine that waits in a worker is cancelled; its worker goes on") {
  const signs sign;
  runtime rt(pool_of(1));
  const int pid = rt.submit(processes, worker_pid).get();
  auto running = rt.submit(processes, sleeps, sign("a"));
  sign.await("a");
  CHECK(running.cancel());
  CHECK_THROWS_AS(running.get(), task_cancelled);
  CHECK(rt.submit(processes, worker_pid).get() == pid);
}

TEST_CASE("a task without a stop token is ended by SIGTERM when it is cancelled") {
  const signs sign;
  runtime rt(pool_of(2));
  auto sibling = rt.submit(processes, obeys, sign("sibling"));
  auto running = rt.submit(processes, spin, sign("a"));
  sign.await("a");
  sign.await("sibling");
  CHECK(running.cancel());
  try {
    running.get();
    FAIL("it came back");
  } catch (const task_cancelled& cancelled) {
    CHECK(contains(cancelled.what(), "SIGTERM"));
  }
  CHECK(rt.stats(processes).workers_lost == 0);  // nobody lost it: it was ended
  sibling.cancel();
  CHECK(sibling.get() == 5);
  check_usable(rt);
}

TEST_CASE("a task that ignores its stop token and SIGTERM is ended after both graces") {
  const signs sign;
  runtime_options options = pool_of(1);
  options.processes.stop_grace = 20ms;
  options.processes.kill_grace = 20ms;
  runtime rt(std::move(options));
  auto running = rt.submit(
      processes,
      [](std::stop_token, std::string at) {
        ::signal(SIGTERM, SIG_IGN);
        spin(at);
      },
      sign("a"));
  sign.await("a");
  CHECK(running.cancel());
  try {
    running.get();
    FAIL("it came back");
  } catch (const task_cancelled& cancelled) {
    CHECK(contains(cancelled.what(), "SIGKILL"));
  }
  check_usable(rt);
}

TEST_CASE("a cancelled task never runs while it is queued") {
  const signs sign;
  runtime rt(pool_of(1));
  auto blocker = rt.submit(processes, obeys, sign("b"));
  sign.await("b");
  auto queued = rt.submit(processes, give_sign, sign("ran"));
  CHECK(rt.stats(processes).queued == 1);
  CHECK(queued.cancel());
  CHECK(rt.stats(processes).queued == 0);
  CHECK_THROWS_AS(queued.get(), task_cancelled);
  blocker.cancel();
  CHECK(blocker.get() == 5);
  check_usable(rt);
  CHECK_FALSE(std::filesystem::exists(sign("ran")));
}

TEST_CASE("kill ends a running task by force and returns true") {
  const signs sign;
  runtime rt(pool_of(1));
  const int before = rt.submit(processes, worker_pid).get();
  auto running = rt.submit(processes, obeys, sign("a"));
  sign.await("a");
  CHECK(running.kill());
  CHECK_THROWS_AS(running.get(), task_cancelled);
  CHECK(testing::eventually([&] { return !os::read_process_stat(before); }));
  check_usable(rt);
  auto done = rt.submit(processes, square, 2);
  done.wait();
  CHECK_FALSE(done.kill());
  CHECK(done.get() == 4);
}

TEST_CASE("a deadline ends what spins; the next tasks are not hit") {
  runtime rt(pool_of(2));
  const signs sign;
  auto late = rt.submit({.on = processes, .deadline = 100ms}, spin, sign("a"));
  CHECK_THROWS_AS(late.get(), task_timeout);
  check_usable(rt);
}

TEST_CASE("the end of a deadline says what became of the worker") {
  const signs sign;
  runtime rt(pool_of(2));
  auto spinning = rt.submit({.on = processes, .deadline = 100ms}, spin, sign("a"));
  auto obeying = rt.submit({.on = processes, .deadline = 100ms}, obeys, sign("b"));
  const auto text_of = [](auto& late) {
    try {
      late.get();
      return std::string("it came back");
    } catch (const task_timeout& timeout) {
      return std::string(timeout.what());
    }
  };
  const std::string spun = text_of(spinning);
  CHECK((contains(spun, "its worker process was killed") || contains(spun, "in the queue")));
  const std::string obeyed = text_of(obeying);
  CHECK((contains(obeyed, "replaced unless it does") || contains(obeyed, "in the queue")));
}

TEST_CASE("a deadline that passes as the task ends never hits the next one") {
  runtime rt(pool_of(1));
  const auto nap = [](int us) { ::usleep(static_cast<unsigned>(us)); };
  for (int i = 0; i < 60; ++i) {
    auto edge = rt.submit({.on = processes, .deadline = 1ms}, nap, 700 + 10 * i);
    auto next = rt.submit(processes, square, i);
    try {
      edge.get();
    } catch (const task_timeout&) {
    }
    CHECK(next.get() == i * i);
  }
}

TEST_CASE("a deadline asks a task with a stop token first") {
  const signs sign;
  runtime rt(pool_of(1));
  const int pid = rt.submit(processes, worker_pid).get();
  auto late = rt.submit({.on = processes, .deadline = 50ms}, obeys, sign("a"));
  CHECK_THROWS_AS(late.get(), task_timeout);
  CHECK(rt.submit(processes, worker_pid).get() == pid);
}

TEST_CASE("a stopped worker is ended by a deadline too") {
  runtime rt(pool_of(1));
  auto late = rt.submit({.on = processes, .deadline = 100ms}, [] { ::raise(SIGSTOP); });
  CHECK_THROWS_AS(late.get(), task_timeout);
  check_usable(rt);
}

TEST_CASE("a stop token of the submission cancels") {
  const signs sign;
  runtime rt(pool_of(1));
  std::stop_source source;
  auto running = rt.submit({.on = processes, .stop = source.get_token()}, obeys, sign("a"));
  sign.await("a");
  source.request_stop();
  CHECK(running.get() == 5);
}

TEST_CASE("shutdown by force ends running tasks and discards queued ones") {
  const signs sign;
  runtime rt(pool_of(2));
  auto first = rt.submit(processes, spin, sign("a"));
  auto second = rt.submit(processes, spin, sign("b"));
  auto queued = rt.submit(processes, square, 1);
  sign.await("a");
  sign.await("b");
  CHECK(rt.shutdown(shutdown_mode::kill));
  CHECK_THROWS_AS(first.get(), task_cancelled);
  CHECK_THROWS_AS(second.get(), task_cancelled);
  CHECK_THROWS_AS(queued.get(), task_cancelled);
  CHECK(rt.workers().empty());
}

TEST_CASE("what no shutdown waited for in time is killed, and the runtime ends") {
  const signs sign;
  runtime rt(pool_of(1));
  auto endless = rt.submit(processes, spin, sign("a"));
  sign.await("a");
  CHECK_FALSE(rt.shutdown(shutdown_mode::drain, 1ms));
  CHECK(rt.shutdown(shutdown_mode::kill, 10s));
  CHECK_THROWS_AS(endless.get(), task_cancelled);
}

TEST_CASE("shutdown that cancels what waits lets running tasks end") {
  const signs sign;
  runtime rt(pool_of(1));
  auto running = rt.submit(
      processes,
      [](std::string at) {
        give_sign(at);
        while (!std::filesystem::exists(at + ".go"))
          ::usleep(1000);
        return 8;
      },
      sign("a"));
  sign.await("a");
  auto queued = rt.submit(processes, square, 1);
  CHECK_FALSE(rt.shutdown(shutdown_mode::cancel_pending, 1ms));
  CHECK_THROWS_AS(queued.get(), task_cancelled);
  give_sign(sign("a.go"));
  CHECK(rt.shutdown(shutdown_mode::cancel_pending));
  CHECK(running.get() == 8);
}

TEST_CASE("an endless task is asked to stop when the runtime drains") {
  const signs sign;
  future<int> endless;
  {
    runtime rt(pool_of(1));
    endless = rt.submit({.on = processes, .endless = true}, obeys, sign("a"));
    sign.await("a");
  }
  CHECK(endless.get() == 5);
}
