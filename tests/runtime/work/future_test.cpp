#include <brigade/work/future.hpp>

#include <doctest/doctest.h>

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

#include "support/eventually.hpp"
#include "toy_executor.hpp"

using namespace brigade;
using namespace std::chrono_literals;
using brigade::testing::barrier_gate;
using brigade::testing::error_log;
using brigade::testing::eventually;
using brigade::testing::toy_runtime;

TEST_CASE("a future yields what the task returned, once") {
  toy_runtime rt;
  future<int> answer = rt.submit(threads, [](int a, int b) { return a + b; }, 40, 2);
  CHECK(answer.valid());
  CHECK(answer.get() == 42);
  CHECK_FALSE(answer.valid());
}

TEST_CASE("a future throws what the task threw") {
  toy_runtime rt;
  auto answer = rt.submit(loop, []() -> int { throw std::out_of_range("too far"); });
  CHECK_THROWS_WITH_AS(answer.get(), "too far", std::out_of_range);
  CHECK_FALSE(answer.valid());
}

TEST_CASE("results may be void, move-only, or returned by reference") {
  bool ran = false;
  toy_runtime rt;
  rt.submit(threads, [&ran] { ran = true; }).get();
  CHECK(ran);
  auto owned = rt.submit(threads, [] { return std::make_unique<int>(7); });
  CHECK(*owned.get() == 7);
  const std::string text = "kept";
  auto copied = rt.submit(threads, [&text]() -> const std::string& { return text; });
  static_assert(std::is_same_v<decltype(copied), future<std::string>>);
  CHECK(copied.get() == "kept");
}

TEST_CASE("waiting with a limit says whether the result is there, and changes nothing") {
  barrier_gate door;
  toy_runtime rt;
  auto answer = rt.submit(threads, [&door] { door.pass(); return 1; });
  CHECK_FALSE(answer.ready());
  CHECK(answer.wait_for(2ms) == std::future_status::timeout);
  CHECK(answer.wait_for(-1h) == std::future_status::timeout);
  CHECK(answer.wait_until(std::chrono::system_clock::now() + 2ms) == std::future_status::timeout);
  door.open();
  answer.wait();
  CHECK(answer.ready());
  CHECK(answer.wait_for(0s) == std::future_status::ready);
  CHECK(answer.wait_until(std::chrono::system_clock::now() - 1h) == std::future_status::ready);
  CHECK(answer.get() == 1);
}

TEST_CASE("no point of any clock is too early or too late to wait for") {
  using std::chrono::hours;
  using std::chrono::steady_clock;
  using std::chrono::system_clock;
  using std::chrono::time_point;
  barrier_gate door;
  toy_runtime rt;
  auto answer = rt.submit(threads, [&door] { door.pass(); return 1; });
  CHECK(answer.wait_until(system_clock::time_point::min()) == std::future_status::timeout);
  CHECK(answer.wait_until(steady_clock::time_point::min()) == std::future_status::timeout);
  CHECK(answer.wait_until(time_point<system_clock, hours>::min()) == std::future_status::timeout);
  CHECK(answer.wait_until(time_point<steady_clock, hours>::min()) == std::future_status::timeout);
  // These wait until it is ready, which is not before they have begun to.
  auto opens = rt.submit(loop, [&] {
    std::this_thread::sleep_for(20ms);
    door.open();
  });
  CHECK(answer.wait_until(time_point<steady_clock, hours>::max()) == std::future_status::ready);
  CHECK(answer.wait_until(time_point<system_clock, hours>::max()) == std::future_status::ready);
  CHECK(answer.wait_until(system_clock::time_point::max()) == std::future_status::ready);
  opens.get();
  CHECK(answer.get() == 1);
}

TEST_CASE("a future that is moved to itself keeps its task") {
  toy_runtime rt;
  auto answer = rt.submit(threads, [] { return 1; });
  auto& same = answer;
  answer = std::move(same);
  REQUIRE(answer.valid());
  CHECK(answer.get() == 1);
}

namespace {

struct cannot_be_copied {
  cannot_be_copied() = default;
  cannot_be_copied(const cannot_be_copied&) { throw std::out_of_range("no copy"); }
};

}  // namespace

TEST_CASE("what the copy of an argument throws is in the future, or goes to the error hook") {
  error_log log;
  toy_runtime rt(log.hooks());
  const cannot_be_copied argument;
  const auto take = [](const cannot_be_copied&) { return 1; };
  CHECK_THROWS_AS(rt.submit(threads, take, argument).get(), std::out_of_range);
  CHECK_THROWS_AS(rt.submit({.on = loop, .name = "copy"}, take, argument).get(), std::out_of_range);
  CHECK(log.count() == 0);
  rt.post(threads, take, argument);
  CHECK(log.count() == 1);
}

TEST_CASE("every use of an empty future throws std::future_error") {
  future<int> empty;
  CHECK_FALSE(empty.valid());
  CHECK_THROWS_AS(empty.get(), std::future_error);
  CHECK_THROWS_AS(empty.wait(), std::future_error);
  CHECK_THROWS_AS(static_cast<void>(empty.wait_for(1ms)), std::future_error);
  CHECK_THROWS_AS(static_cast<void>(empty.ready()), std::future_error);
  CHECK_THROWS_AS(empty.cancel(), std::future_error);
  CHECK_THROWS_AS(empty.kill(), std::future_error);
  CHECK_THROWS_AS(static_cast<void>(empty.stats()), std::future_error);
  CHECK_THROWS_AS(static_cast<void>(empty.id()), std::future_error);
  toy_runtime rt;
  auto wait_for_nothing = rt.submit(threads, []() -> task<int> {
    co_return co_await future<int>();
  });
  CHECK_THROWS_AS(wait_for_nothing.get(), std::future_error);
}

TEST_CASE("the second get() says what was wrong") {
  toy_runtime rt;
  auto answer = rt.submit(threads, [] { return 1; });
  CHECK(answer.get() == 1);
  try {
    answer.get();
    FAIL("it had a second result");
  } catch (const std::future_error& error) {
    CHECK(error.code() == std::future_errc::no_state);
    CHECK(std::string(error.what()).find("call get() once") != std::string::npos);
  }
}

TEST_CASE("a moved-from future is empty, and assignment drops the old one") {
  error_log log;
  toy_runtime rt(log.hooks());
  future<int> first = rt.submit(threads, [] { return 1; });
  future<int> second = std::move(first);
  CHECK_FALSE(first.valid());
  CHECK(second.get() == 1);
  future<int> failed = rt.submit(threads, []() -> int { throw std::runtime_error("dropped"); });
  failed = rt.submit(threads, [] { return 2; });
  CHECK(eventually([&] { return log.count() == 1; }));
  CHECK(failed.get() == 2);
}

TEST_CASE("dropping a future neither blocks nor cancels") {
  barrier_gate door;
  std::atomic<bool> ended{false};
  toy_runtime rt;
  rt.submit(threads, [&] { door.pass(); ended = true; }) = {};
  CHECK_FALSE(ended);
  door.open();
  CHECK(rt.shutdown(shutdown_mode::drain, std::nullopt));
  CHECK(ended);
}

TEST_CASE("a failure that nobody asks for goes to the error hook") {
  error_log log;
  toy_runtime rt(log.hooks());
  rt.submit(threads, [] { throw std::runtime_error("dropped"); }) = {};
  rt.post(loop, [] { throw 42; });
  CHECK(eventually([&] { return log.count() == 2; }));
}

TEST_CASE("without a hook that failure is one line on stderr, which names the task once") {
  std::FILE* const file = std::tmpfile();
  const int kept = ::dup(STDERR_FILENO);
  REQUIRE(::dup2(::fileno(file), STDERR_FILENO) == STDERR_FILENO);
  {
    toy_runtime rt;
    rt.submit({.on = threads, .name = "soup", .retries = 1}, [] {}) = {};  // names it itself
    rt.submit({.on = threads, .name = "roast"}, [] { throw std::runtime_error("burnt"); }) = {};
  }
  ::dup2(kept, STDERR_FILENO);
  ::close(kept);
  std::rewind(file);
  std::string text(4096, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), file));
  std::fclose(file);
  CHECK(std::count(text.begin(), text.end(), '\n') == 2);
  const auto soup = text.find("task 'soup' (");
  CHECK(soup != std::string::npos);
  CHECK(text.find("soup", soup + 7) == std::string::npos);
  CHECK(text.find("brigade: task 'roast' (") != std::string::npos);
  CHECK(text.find(") on threads failed and nobody waits for it: burnt\n") != std::string::npos);
}

TEST_CASE("a future may outlive its runtime") {
  future<int> value;
  future<int> failure;
  {
    toy_runtime rt;
    value = rt.submit(threads, [] { return 5; });
    failure = rt.submit(threads, []() -> int { throw std::runtime_error("late"); });
  }
  CHECK(value.ready());
  CHECK_FALSE(value.cancel());
  CHECK(value.get() == 5);
  CHECK_THROWS_AS(failure.get(), std::runtime_error);
}

TEST_CASE("statistics give the times in order, the worker, and CPU time only to an observer") {
  const auto begin = std::chrono::steady_clock::now();
  toy_runtime rt;
  auto answer = rt.submit(loop, [] { return 1; });
  answer.wait();
  CHECK(eventually([&] { return answer.stats().finished >= begin; }));
  const task_stats stats = answer.stats();
  CHECK(stats.queued >= begin);
  CHECK(stats.started >= stats.queued);
  CHECK(stats.finished >= stats.started);
  CHECK(stats.worker == 0);
  CHECK(stats.cpu == 0ns);
  CHECK(answer.id() != 0);
}
