// What a future can do after its runtime has gone, and values that are used with care.
#include "contract.hpp"

#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

using namespace contract;

namespace {

int fail_odd(int x) {
  if (x % 2 == 1) throw std::out_of_range("odd");
  return x;
}

std::vector<bg::future<int>> futures_of_the_dead(bg::executor_kind where, bool failing) {
  bg::runtime rt(two_workers());
  std::vector<bg::future<int>> all;
  for (int i = 0; i < 6; ++i) {
    all.push_back(failing ? rt.submit(where, fail_odd, i) : rt.submit(where, square, i));
  }
  rt.shutdown();
  return all;
}

std::monostate yield_nothing() { return {}; }
std::exception_ptr yield_error() { return std::make_exception_ptr(std::out_of_range("kept")); }

// Has eaten its text after one call.
struct glutton {
  std::string text;
  std::shared_ptr<std::atomic<int>> calls;
  std::string operator()() && {
    std::string eaten = std::move(text);
    if (calls->fetch_add(1) == 0) throw std::runtime_error("the first time");
    return eaten;
  }
};

}  // namespace

TEST_CASE_TEMPLATE("a future outlives its runtime, whatever is done with it then", Where,
                   CONTRACT_EACH) {
  const bg::executor_kind where = Where::kind;
  CHECK_THROWS_AS(bg::when_all(futures_of_the_dead(where, true)).get(), std::out_of_range);
  CHECK(bg::when_all(futures_of_the_dead(where, false)).get().size() == 6);
  CHECK(bg::when_any(futures_of_the_dead(where, false)).get().index < 6);
  int failed = 0;
  for (const auto& each : bg::gather(futures_of_the_dead(where, true)).get()) {
    failed += each.has_value() ? 0 : 1;
  }
  CHECK(failed == 3);
  auto stream = bg::as_completed(futures_of_the_dead(where, true));
  int seen = 0;
  while (std::optional<bg::completed<int>> next = stream.next())
    ++seen;
  CHECK(seen == 6);

  auto all = futures_of_the_dead(where, false);
  CHECK_FALSE(all[1].cancel());
  CHECK_FALSE(all[1].kill());
  CHECK(all[2].get() == 4);
  CHECK_THROWS_AS((void)std::move(all[3]).then(Where::where(), square), bg::runtime_stopped);
  bg::runtime living(two_workers());  // perhaps where the dead one was
  auto mixed = bg::gather(std::move(all[4]), living.submit(where, square, 3)).get();
  CHECK(std::get<0>(mixed).value() + std::get<1>(mixed).value() == 25);
}

TEST_CASE("a failure is told though the runtime of another part has gone") {
  std::optional<bg::runtime> first(std::in_place, two_workers());
  bg::runtime second(two_workers());
  std::atomic<bool> go{false};
  auto ended = first->submit(bg::threads, square, 1);
  ended.wait();
  auto fails_later = second.submit(bg::threads, [&go]() -> int {
    go.wait(false);
    throw std::out_of_range("late");
  });
  auto both = bg::when_all(std::move(ended), std::move(fails_later));
  first.reset();
  go = true;
  go.notify_all();
  CHECK_THROWS_AS(both.get(), std::out_of_range);
}

TEST_CASE_TEMPLATE("a continuation that runs again gets its value again", Where,
                   contract::by_tag<bg::loop>, contract::by_flag<bg::threads>) {
  bg::runtime rt(two_workers());
  const std::string text = "long enough to be moved from, which a short one is not";
  std::atomic<int> calls{0};
  bg::submit_options twice{.on = Where::kind, .retries = 2, .idempotent = true};
  const auto second_time = [&calls](std::string given) {
    if (calls.fetch_add(1) == 0) throw std::runtime_error("the first time");
    return given;
  };
  CHECK(rt.submit(Where::where(), [text] { return text; }).then(twice, second_time).get() == text);
  calls = 0;
  const auto later = [&calls](std::string given) -> bg::task<std::string> {
    co_await bg::sleep_for(1ms);
    if (calls.fetch_add(1) == 0) throw std::runtime_error("the first time");
    co_return given;
  };
  CHECK(rt.submit(Where::where(), [text] { return text; }).then(twice, later).get() == text);
  auto failing = rt.submit(Where::where(), fail_odd, 1).then(twice, square);
  CHECK_THROWS_AS(failing.get(), std::out_of_range);

  const auto owner = [](std::unique_ptr<int> value) { return *value; };
  auto moved =
      rt.submit(Where::where(), [] { return std::make_unique<int>(1); }).then(twice, owner);
  CHECK_THROWS_AS(moved.get(), std::invalid_argument);
  twice.idempotent = false;
  auto careless = rt.submit(Where::where(), square, 1).then(twice, square);
  CHECK_THROWS_AS(careless.get(), std::invalid_argument);
}

TEST_CASE_TEMPLATE("a callable that consumes itself is whole at every attempt", Where,
                   contract::by_tag<bg::loop>, contract::by_flag<bg::threads>) {
  bg::runtime rt(two_workers());
  const bg::submit_options twice{.on = Where::kind, .retries = 2, .idempotent = true};
  const auto calls = std::make_shared<std::atomic<int>>(0);
  CHECK(rt.submit(twice, glutton{"a whole text", calls}).get() == "a whole text");
}

TEST_CASE_TEMPLATE("a wait of the greatest length does not end at once", Where, CONTRACT_EACH) {
  bg::runtime rt(two_workers());
  const auto sleeper = [](int how) -> bg::task<void> {
    if (how == 0) co_await bg::sleep_for(std::chrono::nanoseconds::max());
    if (how == 1) co_await bg::sleep_for(std::chrono::hours::max());
    if (how == 2) co_await bg::sleep_for(std::chrono::duration<double>(1e300));
    co_await bg::sleep_for(std::chrono::nanoseconds::min());  // over before it began
  };
  rt.submit(Where::where(), sleeper, 3).get();
  for (int how = 0; how < 3; ++how) {
    auto endless = rt.submit(Where::where(), sleeper, how);
    CHECK(await_started(endless));
    CHECK(endless.wait_for(20ms) == std::future_status::timeout);
    endless.cancel();
    CHECK(endless.wait_for(std::chrono::hours::max()) == std::future_status::ready);
    CHECK_THROWS_AS(endless.get(), bg::task_cancelled);
  }
  CHECK(rt.submit(Where::where(), square, 3).wait_for(std::chrono::nanoseconds::max()) ==
        std::future_status::ready);
}

TEST_CASE_TEMPLATE("a result may be of a type that the library itself uses", Where,
                   contract::by_tag<bg::loop>, contract::by_tag<bg::threads>) {
  bg::runtime rt(two_workers());
  CHECK(rt.submit(Where::where(), yield_nothing).get() == std::monostate{});
  const std::exception_ptr kept = rt.submit(Where::where(), yield_error).get();
  CHECK_THROWS_AS(std::rethrow_exception(kept), std::out_of_range);
}

TEST_CASE_TEMPLATE("a stream loses nothing when a wait for its next is given up", Where,
                   contract::by_tag<bg::loop>, contract::by_tag<bg::threads>) {
  bg::runtime rt(two_workers());
  bg::completion_stream<int> stream;
  std::atomic<bool> go{false};
  stream.add(rt.submit(bg::threads, [&go] {
    go.wait(false);
    return 4;
  }));
  const auto next = [&stream]() -> bg::task<int> {
    std::optional<bg::completed<int>> one = co_await stream.next_async();
    co_return one ? one->future.get() : -1;
  };
  auto impatient = rt.submit(Where::where(), next);
  CHECK(await_started(impatient));
  impatient.cancel();
  CHECK_THROWS_AS(impatient.get(), bg::task_cancelled);
  { auto dropped = stream.next_async(); }
  go = true;
  go.notify_all();
  CHECK(rt.submit(Where::where(), next).get() == 4);
  CHECK_FALSE(stream.next().has_value());
}

TEST_CASE_TEMPLATE("a stream keeps an item that was on its way to a wait given up", Where,
                   contract::by_tag<bg::loop>, contract::by_tag<bg::threads>) {
  bg::runtime rt(two_workers());
  bg::completion_stream<int> stream;
  for (int round = 0; round < 2000; ++round) {
    stream.add(rt.submit(Where::where(), square, round % 100));
    { auto dropped = stream.next_async(); }
    std::optional<bg::completed<int>> one = stream.next();
    REQUIRE(one.has_value());
    CHECK(one->index == static_cast<std::size_t>(round));
    CHECK(one->future.get() == (round % 100) * (round % 100));
    REQUIRE_FALSE(stream.next().has_value());
  }
}
