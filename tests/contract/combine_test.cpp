#include "contract.hpp"

#include <atomic>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace contract;

namespace {

[[noreturn]] int fail_with(int) { throw std::out_of_range("failed"); }
std::string text_of(int x) { return std::to_string(x); }
int add(int a, int b) { return a + b; }
bg::task<int> sleep_after(int) { co_return co_await sleep_for_ever(); }

}  // namespace

TEST_CASE_TEMPLATE("then runs on the executor it names and passes errors by", Where, CONTRACT_ALL) {
  bg::runtime rt(two_workers());
  auto chained = rt.submit(Where::where(), square, 3).then(Where::where(), text_of);
  CHECK(chained.get() == "9");
  auto coroutine = rt.submit(bg::threads, square, 3).then(Where::where(), square_later);
  CHECK(coroutine.get() == 81);
  auto skipped = rt.submit(Where::where(), fail_with, 3).then(Where::where(), text_of);
  CHECK_THROWS_AS(skipped.get(), std::out_of_range);
}

TEST_CASE_TEMPLATE("when_all gives every value in order", Where, CONTRACT_EACH) {
  bg::runtime rt(two_workers());
  std::vector<bg::future<int>> futures;
  for (int i = 0; i < 20; ++i) futures.push_back(rt.submit(Where::where(), square, i));
  const std::vector<int> values = bg::when_all(std::move(futures)).get();
  for (int i = 0; i < 20; ++i) CHECK(values[static_cast<std::size_t>(i)] == i * i);
  auto [a, b] = bg::when_all(rt.submit(Where::where(), square, 3),
                             rt.submit(Where::where(), text_of, 4))
                    .get();
  CHECK(a == 9);
  CHECK(b == "4");
  CHECK(bg::when_all(std::vector<bg::future<int>>{}).get().empty());
}

TEST_CASE_TEMPLATE("when_all fails fast and stops the others", Where, CONTRACT_EACH) {
  bg::runtime rt(two_workers());
  std::vector<bg::future<int>> futures;
  futures.push_back(rt.submit(Where::where(), sleep_for_ever));
  futures.push_back(rt.submit(Where::where(), fail_with, 1));
  CHECK_THROWS_AS(bg::when_all(std::move(futures)).get(), std::out_of_range);
  CHECK(rt.shutdown());
}

TEST_CASE_TEMPLATE("killing a combined future kills what runs", Where, CONTRACT_EACH) {
  bg::runtime rt(two_workers());
  constexpr bool by_force = Where::kind == bg::executor_kind::processes;
  std::vector<bg::future<int>> futures;
  for (int i = 0; i < 2; ++i) futures.push_back(rt.submit(Where::where(), sleep_for_ever));
  for (const bg::future<int>& each : futures) REQUIRE(await_started(each));
  auto all = bg::when_all(std::move(futures));
  CHECK(all.kill() == by_force);
  CHECK_THROWS_AS(all.get(), bg::task_cancelled);
  auto mapped = rt.map_async(Where::where(), sleep_after, std::vector<int>{1, 2});
  REQUIRE(await_true([&] { return rt.stats(Where::kind).started >= 4; }));
  CHECK(mapped.kill() == by_force);
  CHECK_THROWS_AS(mapped.get(), bg::task_cancelled);
  CHECK(rt.submit(Where::where(), square, 4).get() == 16);
}

TEST_CASE_TEMPLATE("when_any is decided by the first and stops the others", Where, CONTRACT_EACH) {
  bg::runtime rt(two_workers());
  std::vector<bg::future<int>> futures;
  futures.push_back(rt.submit(Where::where(), sleep_for_ever));
  futures.push_back(rt.submit(Where::where(), square, 6));
  const bg::first_of<int> first = bg::when_any(std::move(futures)).get();
  CHECK(first.index == 1);
  CHECK(first.value == 36);
  CHECK(rt.shutdown());
}

TEST_CASE_TEMPLATE("gather gives every outcome", Where, CONTRACT_EACH) {
  bg::runtime rt(two_workers());
  std::vector<bg::future<int>> futures;
  futures.push_back(rt.submit(Where::where(), square, 2));
  futures.push_back(rt.submit(Where::where(), fail_with, 1));
  auto outcomes = bg::gather(std::move(futures)).get();
  CHECK(outcomes[0].value() == 4);
  CHECK_FALSE(outcomes[1].has_value());
  CHECK_THROWS_AS(outcomes[1].value(), std::out_of_range);
}

TEST_CASE_TEMPLATE("as_completed yields each once, the quick ones first", Where, CONTRACT_EACH) {
  bg::runtime rt(two_workers());
  std::vector<bg::future<int>> futures;
  futures.push_back(rt.submit(Where::where(), sleep_for_ever));
  for (int i = 1; i < 5; ++i) futures.push_back(rt.submit(Where::where(), square, i));
  std::vector<bool> seen(5, false);
  auto stream = bg::as_completed(std::move(futures));
  for (int i = 1; i < 5; ++i) {
    std::optional<bg::completed<int>> next = stream.next();
    REQUIRE(next.has_value());
    CHECK(next->index != 0);
    CHECK_FALSE(seen[next->index]);
    seen[next->index] = true;
    CHECK(next->future.get() == static_cast<int>(next->index * next->index));
  }
  CHECK(rt.shutdown(bg::shutdown_mode::kill));
}

TEST_CASE_TEMPLATE("a task group waits for all and throws the first failure", Where,
                   CONTRACT_EACH) {
  bg::runtime rt(two_workers());
  bg::task_group group(rt);
  for (int i = 0; i < 10; ++i) group.run(Where::where(), square, i);
  group.wait();
  CHECK(group.running() == 0);
  group.run(Where::where(), sleep_for_ever);
  group.run(Where::where(), fail_with, 1);
  CHECK_THROWS_AS(group.wait(), std::out_of_range);
}

TEST_CASE_TEMPLATE("map and its kin give what a loop would", Where, CONTRACT_ALL) {
  bg::runtime rt(two_workers());
  std::vector<int> numbers;
  std::vector<int> squares;
  for (int i = 0; i < 300; ++i) {
    numbers.push_back(i);
    squares.push_back(i * i);
  }
  CHECK(rt.map(Where::where(), square, numbers) == squares);
  CHECK(rt.map(Where::where(), square, numbers, {.chunk = 7}) == squares);
  CHECK(rt.map_async(Where::where(), square, numbers).get() == squares);
  CHECK(rt.map(Where::where(), square, std::vector<int>{}).empty());
  const std::vector<std::pair<int, int>> pairs{{1, 2}, {3, 4}};
  CHECK(rt.starmap(Where::where(), add, pairs) == std::vector<int>{3, 7});
  std::vector<int> lazily;
  for (const int value : rt.imap(Where::where(), square, numbers, {.window = 8})) {
    lazily.push_back(value);
  }
  CHECK(lazily == squares);
  std::size_t seen = 0;
  for (auto& each : rt.imap_unordered(Where::where(), square, numbers)) {
    CHECK(each.future.get() == squares[each.index]);
    ++seen;
  }
  CHECK(seen == numbers.size());
}

TEST_CASE_TEMPLATE("map runs coroutines and throws the first failure", Where, CONTRACT_EACH) {
  bg::runtime rt(two_workers());
  const std::vector<int> numbers{1, 2, 3};
  CHECK(rt.map(Where::where(), square_later, numbers) == std::vector<int>{1, 4, 9});
  CHECK_THROWS_AS(rt.map(Where::where(), fail_with, numbers), std::out_of_range);
}
