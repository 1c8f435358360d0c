#include <brigade/work/submit.hpp>

#include <doctest/doctest.h>

#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <brigade/work/context.hpp>
#include <brigade/work/sleep.hpp>
#include <brigade/work/then.hpp>

#include "support/eventually.hpp"
#include "toy_executor.hpp"

using namespace brigade;
using namespace std::chrono_literals;
using brigade::testing::error_log;
using brigade::testing::eventually;
using brigade::testing::toy_runtime;

TEST_CASE("a posted task with 48 bytes of cargo takes three cache lines, its times half of one") {
  const std::array<std::uint64_t, 6> cargo{};
  const auto task = [cargo] { static_cast<void>(cargo); };
  using job_type = detail::job<detail::stays_here, std::remove_const_t<decltype(task)>>;
  CHECK(sizeof(job_type) <= 192);
  CHECK(sizeof(detail::timed<job_type>) <= 224);
}

TEST_CASE("arguments are decayed, and character arrays become strings") {
  toy_runtime rt;
  const auto lengths = [](auto first, auto second) {
    static_assert(std::is_same_v<decltype(first), std::string>);
    static_assert(std::is_same_v<decltype(second), std::string>);
    return first.size() + second.size();
  };
  char buffer[] = "four";
  auto sizes = rt.submit(threads, lengths, "three", buffer);
  buffer[0] = '\0';
  CHECK(sizes.get() == 9);
  int value = 1;
  auto copy = rt.submit(threads, [](int& own) { return ++own; }, std::ref(value));
  CHECK(copy.get() == 2);
  CHECK(value == 2);
}

TEST_CASE("callable and arguments are moved, not copied, and destroyed when the task has ended") {
  toy_runtime rt;
  auto captured = std::make_unique<int>(1);
  auto passed = std::make_shared<int>(2);
  const std::weak_ptr<int> watched = passed;
  auto sum = rt.submit(
      threads,
      [captured = std::move(captured)](std::shared_ptr<int>&& own) { return *captured + *own; },
      std::move(passed));
  CHECK(sum.get() == 3);
  CHECK(watched.expired());
}

TEST_CASE("the captures of a coroutine lambda live until the coroutine ends") {
  toy_runtime rt;
  auto content = std::make_shared<std::string>("captured");
  const std::weak_ptr<std::string> watched = content;
  future<std::size_t> size;
  {
    auto body = [content = std::move(content)](std::string argument) -> task<std::size_t> {
      co_await sleep_for(2ms);
      co_return content->size() + argument.size();
    };
    size = rt.submit(threads, std::move(body), "argument");
  }
  CHECK(size.get() == 16);
  CHECK(watched.expired());
}

TEST_CASE("members, functions and function objects may be submitted") {
  toy_runtime rt;
  struct counter {
    int add(int more) { return value += more; }
    int value = 40;
  };
  counter mine;
  CHECK(rt.submit(threads, &counter::add, &mine, 2).get() == 42);
  CHECK(mine.value == 42);
  CHECK(rt.submit(threads, std::plus<int>(), 1, 2).get() == 3);
  std::function<int()> wrapped = [] { return 5; };
  CHECK(rt.submit(threads, wrapped).get() == 5);
}

TEST_CASE("where may be a tag, a value of run time, or options") {
  toy_runtime rt;
  const auto here = [] { return current().executor; };
  CHECK(rt.submit(loop, here).get() == executor_kind::loop);
  CHECK(rt.submit(executor_kind::threads, here).get() == executor_kind::threads);
  CHECK(rt.submit(parse_executor("loop"), here).get() == executor_kind::loop);
  CHECK(rt.submit({.on = loop, .name = "named"}, here).get() == executor_kind::loop);
  CHECK(rt.submit({.name = "unset"}, here).get() == executor_kind::threads);
}

TEST_CASE("current() tells the task who and where it is") {
  toy_runtime rt;
  const current_task outside = current();
  CHECK_FALSE(outside.executor.has_value());
  CHECK(outside.id == 0);
  CHECK(outside.pid == ::getpid());
  auto inside = rt.submit({.on = loop, .name = "observed"}, [] { return current(); });
  const std::uint64_t id = inside.id();
  const current_task facts = inside.get();
  CHECK(facts.executor == executor_kind::loop);
  CHECK(facts.worker == 0);
  CHECK(facts.pid == ::getpid());
  CHECK(facts.tid != outside.tid);
  CHECK(facts.name == "observed");
  CHECK(facts.id == id);
  CHECK_FALSE(detail::is_worker_process());
}

TEST_CASE("current() stays true over the waits of a coroutine") {
  toy_runtime rt;
  auto same = rt.submit({.name = "outer"}, []() -> task<bool> {
    const std::uint64_t id = current().id;
    co_await sleep_for(1ms);
    if (current().id != id || current().name != "outer") co_return false;
    auto other = submit({.name = "inner"}, [] { return current().name; });
    const std::string inner = co_await std::move(other);
    co_return inner == "inner" && current().id == id;
  });
  CHECK(same.get());
}

TEST_CASE("the free functions need a task around them") {
  CHECK_THROWS_AS(post(threads, [] {}), std::logic_error);
  error_log log;
  toy_runtime rt(log.hooks());
  auto inner = rt.submit(threads, [] { return submit(loop, [] { return 6; }); });
  CHECK(inner.get().get() == 6);
  rt.submit(threads, [] { post(loop, [] { throw std::runtime_error("posted"); }); }).get();
  CHECK(eventually([&] { return log.count() == 1; }));
}

TEST_CASE("observers and statistics see every task once") {
  struct counting : observer {
    void on_queued(const task_record&) noexcept override { ++queued; }
    void on_started(const task_record& task) noexcept override {
      ++started;
      if (task.task.name == "noted") ++named;
    }
    void on_finished(const task_record& task) noexcept override {
      ++finished;
      if (task.failed) ++failed;
    }
    std::atomic<int> queued{0}, started{0}, finished{0}, failed{0}, named{0};
  };
  const auto seen = std::make_shared<counting>();
  hooks with_observer;
  with_observer.observers.push_back(seen);
  with_observer.on_error = [](const task_identity&, std::exception_ptr) {};
  {
    toy_runtime rt(with_observer);
    for (int each = 0; each < 10; ++each) rt.post({.name = "noted"}, [] {});
    rt.post(threads, [] { throw 1; });
    rt.shutdown(shutdown_mode::drain);
    const executor_stats stats = rt.stats(executor_kind::threads);
    CHECK(stats.submitted == 11);
    CHECK(stats.started == 11);
    CHECK(stats.finished == 11);
    CHECK(stats.queued == 0);
  }
  CHECK(seen->queued == 11);
  CHECK(seen->started == 11);
  CHECK(seen->finished == 11);
  CHECK(seen->failed == 1);
  CHECK(seen->named == 10);
}

TEST_CASE("arguments and captures need not be copyable") {
  toy_runtime rt;
  const auto owners = [] {
    std::vector<std::unique_ptr<int>> made;
    made.push_back(std::make_unique<int>(7));
    return made;
  };
  const auto first = [](std::vector<std::unique_ptr<int>> from) { return *from.front(); };
  CHECK(rt.submit(threads, first, owners()).get() == 7);
  CHECK(rt.submit({.on = threads, .name = "first"}, first, owners()).get() == 7);
  CHECK(rt.submit(executor_kind::loop, first, owners()).get() == 7);
  CHECK(rt.submit(threads, [held = owners()] { return *held.front(); }).get() == 7);
  CHECK(rt.submit(threads, owners).then(loop, first).get() == 7);
  CHECK(rt.submit(threads, owners).then(submit_options{.on = loop, .name = "then"}, first).get() ==
        7);
  auto both = [held = owners()](const auto& from) { return *held.front() + *from.front(); };
  CHECK(rt.submit(threads, owners).then(loop, std::move(both)).get() == 14);
  std::atomic<int> posted{0};
  rt.post(loop, [held = owners(), &posted] { posted = *held.front(); });
  rt.shutdown(shutdown_mode::drain);
  CHECK(posted == 7);
}
