#include "contract.hpp"

#include <map>
#include <memory>
#include <optional>
#include <tuple>
#include <vector>

using namespace contract;

namespace {

struct point {
  int x = 0;
  double y = 0;
  std::vector<std::string> names;
  friend bool operator==(const point&, const point&) = default;
};

point shifted(point from, int by) {
  from.x += by;
  from.names.push_back("shifted");
  return from;
}

struct multiplier {
  int factor = 0;
  int operator()(int x) const { return factor * x; }
};

int apply(int (*function)(int), int x) { return function(x); }

std::size_t length(const std::string& text) { return text.size(); }

std::uint64_t checksum(const std::vector<int>& values) {
  std::uint64_t sum = 0;
  for (const int value : values) sum = 31 * sum + static_cast<std::uint64_t>(value);
  return sum;
}

}  // namespace

TEST_CASE_TEMPLATE("a null function fails its future", Where, CONTRACT_ALL) {
  bg::runtime rt(two_workers());
  int (*const none)(int) = nullptr;
  CHECK_THROWS_AS(rt.submit(Where::where(), none, 3).get(), std::bad_function_call);
  CHECK_THROWS_WITH_AS(rt.map(Where::where(), none, std::vector<int>{1, 2}),
                       "brigade: the task's function pointer is null; pass a function",
                       std::bad_function_call);
  auto after = rt.submit(Where::where(), square, 3).then(Where::where(), none);
  CHECK_THROWS_AS(after.get(), std::bad_function_call);
  bg::task<int> (*const no_coroutine)() = nullptr;
  CHECK_THROWS_AS(rt.submit(Where::where(), no_coroutine).get(), std::bad_function_call);
}

TEST_CASE_TEMPLATE("a plain function gives its result", Where, CONTRACT_ALL) {
  bg::runtime rt(two_workers());
  bg::future<int> answer = rt.submit(Where::where(), square, 7);
  CHECK(answer.valid());
  CHECK(answer.get() == 49);
  CHECK_FALSE(answer.valid());
}

TEST_CASE_TEMPLATE("a captureless lambda, a function object and a function pointer as argument run",
                   Where, CONTRACT_ALL) {
  bg::runtime rt(two_workers());
  CHECK(rt.submit(Where::where(), [](int a, int b) { return a - b; }, 9, 4).get() == 5);
  CHECK(rt.submit(Where::where(), multiplier{6}, 7).get() == 42);
  CHECK(rt.submit(Where::where(), apply, &square, 5).get() == 25);
}

TEST_CASE_TEMPLATE("a coroutine of brigade and one of Asio run", Where, CONTRACT_ALL) {
  bg::runtime rt(two_workers());
  CHECK(rt.submit(Where::where(), square_later, 7).get() == 49);
  CHECK(rt.submit(Where::where(), square_as_guest, 8).get() == 64);
}

TEST_CASE_TEMPLATE("void, strings, aggregates and containers come and go", Where, CONTRACT_ALL) {
  bg::runtime rt(two_workers());
  rt.submit(Where::where(), [] {}).get();
  CHECK(rt.submit(Where::where(), length, "a literal is stored as a string").get() == 31);
  const point from{1, 0.5, {"a", "b"}};
  CHECK(rt.submit(Where::where(), shifted, from, 4).get() ==
        point{5, 0.5, {"a", "b", "shifted"}});
  using table = std::map<std::string, std::optional<std::tuple<int, char>>>;
  const table sent{{"one", std::tuple{1, 'x'}}, {"none", std::nullopt}};
  CHECK(rt.submit(Where::where(), [](table given) { return given; }, sent).get() == sent);
}

TEST_CASE_TEMPLATE("a large argument and a large result arrive whole", Where, CONTRACT_EACH) {
  bg::runtime rt(two_workers());
  std::vector<int> values(2'000'000);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<int>(i * 7919);
  const std::uint64_t expected = checksum(values);
  CHECK(rt.submit(Where::where(), checksum, values).get() == expected);
  const auto back = rt.submit(Where::where(), [](std::vector<int> v) { return v; }, values).get();
  CHECK(checksum(back) == expected);
}

TEST_CASE_TEMPLATE("options choose the executor and name the task", Where, CONTRACT_EACH) {
  bg::runtime rt(two_workers());
  auto named = rt.submit({.on = Where::kind, .name = "resize"}, [] { return bg::current().name; });
  CHECK(named.get() == "resize");
  auto where = rt.submit({.on = Where::kind}, [] { return *bg::current().executor; });
  CHECK(where.get() == Where::kind);
}

TEST_CASE_TEMPLATE("many tasks each complete once", Where, CONTRACT_EACH) {
  bg::runtime rt(two_workers());
  constexpr int count = 2000;
  std::vector<bg::future<int>> futures;
  for (int i = 0; i < count; ++i) futures.push_back(rt.submit(Where::where(), square, i));
  for (int i = 0; i < count; ++i) {
    CHECK_MESSAGE(futures[static_cast<std::size_t>(i)].get() == i * i, i);
  }
  const bg::executor_stats stats = rt.stats(Where::kind);
  CHECK(stats.submitted == count);
  CHECK(await_true([&] { return rt.stats(Where::kind).finished == count; }));
  CHECK(rt.stats(Where::kind).queued == 0);
}

TEST_CASE_TEMPLATE("statistics are in order", Where, CONTRACT_EACH) {
  bg::runtime rt(two_workers());
  bg::future<int> task = rt.submit(Where::where(), square, 2);
  task.wait();
  const bg::task_stats stats = task.stats();
  CHECK(stats.queued <= stats.started);
  CHECK(stats.started <= stats.finished);
  CHECK(stats.worker < 2);
}

TEST_CASE_TEMPLATE("waiting for a while says whether it is ready", Where, CONTRACT_EACH) {
  bg::runtime rt(two_workers());
  bg::future<int> endless = rt.submit(Where::where(), until_stopped);
  CHECK(endless.wait_for(1ms) == std::future_status::timeout);
  CHECK(endless.wait_until(std::chrono::system_clock::now() + 1ms) == std::future_status::timeout);
  CHECK_FALSE(endless.ready());
  REQUIRE(await_started(endless));
  CHECK(endless.cancel());
  CHECK(endless.wait_for(limit) == std::future_status::ready);
  CHECK(endless.ready());
  CHECK(endless.get() == 7);
}

TEST_CASE_TEMPLATE("an empty future says so", Where, CONTRACT_EACH) {
  bg::future<int> empty;
  CHECK_FALSE(empty.valid());
  CHECK_THROWS_AS(empty.get(), std::future_error);
  CHECK_THROWS_AS(static_cast<void>(empty.ready()), std::future_error);
  bg::runtime rt(two_workers());
  bg::future<int> taken = rt.submit(Where::where(), square, 2);
  CHECK(taken.get() == 4);
  CHECK_THROWS_AS(taken.get(), std::future_error);
}

TEST_CASE_TEMPLATE("a dropped future never blocks and its task still runs", Where, CONTRACT_EACH) {
  bg::runtime rt(two_workers());
  static_cast<void>(rt.submit(Where::where(), square, 3));
  CHECK(rt.shutdown());
  CHECK(rt.stats(Where::kind).finished == 1);
}
