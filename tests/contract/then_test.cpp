// A continuation has the options and promises of any task, from the call of then() on.
#include "contract.hpp"

#include <atomic>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <unistd.h>

using namespace contract;

namespace {

// A source on a thread, which ends when it is told to.
class held_source {
 public:
  explicit held_source(bg::runtime& rt) : rt_(&rt) {}
  held_source(const held_source&) = delete;
  held_source& operator=(const held_source&) = delete;
  ~held_source() { let_go(); }
  bg::future<int> start(bool failing = false) {
    return rt_->submit(bg::threads, [this, failing] {
      gate_.wait(false);
      if (failing) throw std::out_of_range("failed");
      return 3;
    });
  }
  void let_go() {
    gate_ = true;
    gate_.notify_all();
    CHECK(rt_->shutdown());  // what waits for it is gone before this is
  }

 private:
  bg::runtime* rt_;
  std::atomic<bool> gate_{false};
};

bg::submit_options on(bg::executor_kind kind) {
  bg::submit_options options;
  options.on = kind;
  return options;
}

int stopped_after(std::stop_token stop, int x) { return until_stopped(std::move(stop)) + x; }
// Takes a stop token, so that its worker process outlives a cancellation.
int square_politely(std::stop_token, int x) { return x * x; }
[[noreturn]] int fail_with(int) { throw std::out_of_range("failed"); }
void swallow(int) {}
int eleven() { return 11; }
int first_of_two(const std::tuple<int, int>& both) { return std::get<0>(both); }

// Fails the first time, which it finds out by a file.
int second_time(const std::string& path) {
  if (!std::filesystem::exists(path)) {
    std::ofstream(path) << "was here";
    throw std::runtime_error("the first time");
  }
  return static_cast<int>(path.size());
}

// Something happens while it is encoded.
struct eventful {
  std::string text;
};
std::function<void()> event;  // set while nothing runs
std::size_t length(const eventful& of) { return of.text.size(); }

bool never_started(const bg::future<int>& task) {
  return task.stats().started == std::chrono::steady_clock::time_point{};
}

}  // namespace

template <>
struct brigade::codec::coder<eventful> {
  static void write(writer& out, const eventful& value) {
    if (event) event();
    write_value(out, value.text);
  }
  static eventful read(reader& in) { return {read_value<std::string>(in)}; }
};

TEST_CASE_TEMPLATE("the deadlines of a continuation pass while its source runs", Where,
                   CONTRACT_EACH) {
  bg::runtime rt(two_workers());
  held_source source(rt);
  for (const auto after : {-1ms, 0ms, 20ms}) {
    bg::submit_options late = on(Where::kind);
    late.deadline = after;
    auto by_deadline = source.start().then(late, square);
    by_deadline.wait();
    CHECK(never_started(by_deadline));
    CHECK_THROWS_AS(by_deadline.get(), bg::task_timeout);
    bg::submit_options stale = on(Where::kind);
    stale.queue_deadline = after;
    auto by_queue_deadline = source.start().then(stale, square);
    CHECK_THROWS_AS(by_queue_deadline.get(), bg::task_timeout);
  }
  source.let_go();
  CHECK(rt.stats(Where::kind).queued == 0);
}

TEST_CASE_TEMPLATE("the deadline of a continuation passes while it runs", Where, CONTRACT_EACH) {
  bg::runtime rt(two_workers());
  bg::submit_options late = on(Where::kind);
  late.deadline = 50ms;
  CHECK_THROWS_AS(rt.submit(bg::threads, square, 1).then(late, stopped_after).get(),
                  bg::task_timeout);
  CHECK(rt.submit(Where::where(), square, 4).get() == 16);
}

TEST_CASE_TEMPLATE("a stop token cancels a continuation while its source runs", Where,
                   CONTRACT_EACH) {
  bg::runtime rt(two_workers());
  held_source source(rt);
  std::stop_source stop;
  bg::submit_options options = on(Where::kind);
  options.stop = stop.get_token();
  auto waiting = source.start().then(options, square);
  CHECK_FALSE(waiting.ready());
  stop.request_stop();
  CHECK(waiting.ready());
  CHECK_THROWS_AS(waiting.get(), bg::task_cancelled);
  auto too_late = source.start().then(options, square);
  CHECK(too_late.ready());
  CHECK_THROWS_AS(too_late.get(), bg::task_cancelled);
}

TEST_CASE_TEMPLATE("a stop token asks a running continuation to stop", Where, CONTRACT_EACH) {
  bg::runtime rt(two_workers());
  std::stop_source stop;
  bg::submit_options options = on(Where::kind);
  options.stop = stop.get_token();
  auto running = rt.submit(bg::threads, square, 2).then(options, stopped_after);
  REQUIRE(await_started(running));
  stop.request_stop();
  CHECK(running.get() == 11);
}

TEST_CASE_TEMPLATE("a continuation is retried when it is idempotent and refused otherwise", Where,
                   CONTRACT_EACH) {
  bg::runtime rt(two_workers());
  {
    held_source source(rt);
    bg::submit_options careless = on(Where::kind);
    careless.retries = 3;
    auto refused = source.start().then(careless, square);
    CHECK(refused.ready());
    CHECK_THROWS_AS(refused.get(), std::invalid_argument);
  }
  bg::runtime again(two_workers());
  const std::string path =
      (std::filesystem::temp_directory_path() / ("then_test." + std::to_string(getpid()))).string();
  bg::submit_options twice = on(Where::kind);
  twice.retries = 1;
  twice.idempotent = true;
  auto retried = again.submit(bg::threads, [path] { return path; }).then(twice, second_time);
  CHECK(retried.get() == static_cast<int>(path.size()));
  CHECK(std::filesystem::remove(path));
  CHECK_THROWS_AS(again.submit(bg::threads, square, 2).then(twice, fail_with).get(),
                  std::out_of_range);
}

TEST_CASE_TEMPLATE("a continuation is cancelled or killed while its source runs", Where,
                   CONTRACT_ALL) {
  bg::runtime rt(two_workers());
  held_source source(rt);
  auto cancelled = source.start().then(Where::where(), square);
  CHECK(cancelled.cancel());
  CHECK(cancelled.ready());
  CHECK_THROWS_AS(cancelled.get(), bg::task_cancelled);
  auto killed = source.start().then(Where::where(), square);
  CHECK(killed.kill() == (Where::kind == bg::executor_kind::processes));
  CHECK(killed.ready());
  CHECK_THROWS_AS(killed.get(), bg::task_cancelled);
  source.let_go();
  CHECK(rt.stats(Where::kind).queued == 0);
}

TEST_CASE_TEMPLATE("a running continuation is cancelled and killed as any task", Where,
                   CONTRACT_ALL) {
  bg::runtime rt(two_workers());
  auto cancelled = rt.submit(bg::threads, square, 2).then(Where::where(), stopped_after);
  REQUIRE(await_started(cancelled));
  CHECK(cancelled.cancel());
  CHECK(cancelled.get() == 11);
  auto running = rt.submit(bg::threads, square, 2).then(Where::where(), stopped_after);
  REQUIRE(await_started(running));
  const bool killed = running.kill();
  CHECK(killed == (Where::kind == bg::executor_kind::processes));
  if (killed) {
    CHECK_THROWS_AS(running.get(), bg::task_cancelled);
  } else {
    CHECK(running.get() == 11);
  }
  CHECK(rt.submit(Where::where(), square, 4).get() == 16);
}

TEST_CASE_TEMPLATE("a continuation has times and one number", Where, CONTRACT_ALL) {
  bg::runtime rt(two_workers());
  const auto before = std::chrono::steady_clock::now();
  auto ended = rt.submit(Where::where(), square, 3).then(Where::where(), square);
  ended.wait();
  const bg::task_stats stats = ended.stats();
  CHECK(stats.queued >= before);
  CHECK(stats.started >= stats.queued);
  CHECK(stats.finished >= stats.started);
  CHECK(ended.get() == 81);

  held_source source(rt);
  bg::submit_options named = on(Where::kind);
  named.name = "frame";
  auto waiting = source.start().then(named, square);
  const std::uint64_t id = waiting.id();
  CHECK(waiting.cancel());
  try {
    waiting.get();
    FAIL("it should have thrown");
  } catch (const bg::task_cancelled& error) {
    CHECK(error.task_name() == "frame");
    CHECK(error.task_id() == id);
    CHECK(error.executor() == Where::kind);
  }
}

TEST_CASE_TEMPLATE("what waits for a source runs while the runtime drains", Where, CONTRACT_EACH) {
  bg::runtime rt(two_workers());
  held_source source(rt);
  auto passed = source.start(true).then(Where::where(), square);
  auto of_nothing = source.start().then(bg::threads, swallow).then(Where::where(), eleven);
  auto dropped = source.start().then(Where::where(), square);
  dropped = {};
  source.let_go();  // draining runs what follows
  CHECK_THROWS_AS(passed.get(), std::out_of_range);
  CHECK(of_nothing.get() == 11);
  CHECK(rt.stats(Where::kind).queued == 0);
}

TEST_CASE_TEMPLATE("whoever comes first, a continuation has one outcome", Where, CONTRACT_EACH) {
  bg::runtime rt(two_workers());
  int values = 0;
  int cancelled = 0;
  for (int round = 0; round < 200; ++round) {
    auto task = rt.submit(bg::threads, square, 2).then(Where::where(), square_politely);
    if (round % 4 == 1) std::this_thread::yield();
    task.cancel();
    try {
      const int value = task.get();
      CHECK(value == 16);
      ++values;
    } catch (const bg::task_cancelled&) {
      ++cancelled;
    }
  }
  CHECK(values + cancelled == 200);
  CHECK(rt.shutdown());
  CHECK(rt.stats(Where::kind).queued == 0);
}

TEST_CASE_TEMPLATE("a continuation may end while its value is encoded", Where, CONTRACT_EACH) {
  bg::runtime rt(two_workers());
  std::stop_source stop;
  event = [&stop] { stop.request_stop(); };
  bg::submit_options options = on(Where::kind);
  options.stop = stop.get_token();
  auto task = rt.submit(bg::threads, [] {
                  return eventful{"long enough not to be small"};
                }).then(options, length);
  if (Where::kind == bg::executor_kind::processes) {
    CHECK_THROWS_AS(task.get(), bg::task_cancelled);
  } else {
    CHECK(task.get() == 27);
  }
  CHECK(rt.shutdown());
  event = nullptr;  // whoever called it has returned
  CHECK(rt.stats(Where::kind).queued == 0);
}

TEST_CASE_TEMPLATE("a runtime stays for what tells its continuations of an end elsewhere", Where,
                   CONTRACT_EACH) {
  bg::runtime elsewhere(two_workers());
  held_source source(elsewhere);
  bg::runtime rt(two_workers());
  auto here = rt.submit(bg::threads, square, 2);
  auto both = bg::when_all(std::move(here), source.start());
  auto cancelled = std::move(both).then(Where::where(), first_of_two);
  CHECK(cancelled.cancel());
  CHECK_FALSE(rt.shutdown(bg::shutdown_mode::drain, 1ms));
  source.let_go();
  CHECK(rt.shutdown());
  CHECK_THROWS_AS(cancelled.get(), bg::task_cancelled);
}
