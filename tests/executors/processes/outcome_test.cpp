// What comes back from a worker process: values, exceptions, and refusals.
#include <array>
#include <chrono>
#include <map>
#include <numeric>
#include <stdexcept>
#include <system_error>
#include <vector>

#include <unistd.h>

#include "executors/processes/pool_support.hpp"

using namespace pool_test;

namespace {

struct dish {
  std::string name;
  std::vector<double> weights;
  std::array<int, 3> sizes;
};

struct burnt : std::runtime_error {
  explicit burnt(const std::string& what) : std::runtime_error(what) {}
};

struct spilled : std::range_error {
  using std::range_error::range_error;
};

int worker_pid() { return ::getpid(); }

int busy_for_us(int time) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::microseconds(time);
  while (std::chrono::steady_clock::now() < end) {
  }
  return time;
}

dish heavier(dish d, double by) {
  for (double& each : d.weights)
    each += by;
  return d;
}

template <class E, class... Args>
void throw_it(Args... args) {
  throw E(args...);
}

}  // namespace

TEST_CASE("a task runs in another process, with every start method") {
  for (const start_method how : all_start_methods) {
    CAPTURE(to_string(how));
    runtime rt(pool_of(2, how));
    CHECK(rt.submit(processes, square, 7).get() == 49);
    const int pid = rt.submit(processes, worker_pid).get();
    CHECK(pid != ::getpid());
    CHECK(pid > 0);
  }
}

TEST_CASE("values of all kinds go and come") {
  runtime rt(pool_of(1));
  const dish sent{"soup", {0.5, 1.5}, {1, 2, 3}};
  const dish back = rt.submit(processes, heavier, sent, 1.0).get();
  CHECK(back.name == "soup");
  CHECK(back.weights == std::vector<double>{1.5, 2.5});
  CHECK(back.sizes == std::array<int, 3>{1, 2, 3});
  auto count = rt.submit(
      processes,
      [](std::map<std::string, std::vector<int>> m) {
        return std::accumulate(m["a"].begin(), m["a"].end(), 0);
      },
      std::map<std::string, std::vector<int>>{{"a", {1, 2, 3}}});
  CHECK(count.get() == 6);
  CHECK(rt.submit(
              processes, [](std::string s) { return s + "!"; }, "literal")
            .get() == "literal!");
  rt.submit(processes, [] {}).get();
  CHECK(rt.submit(
              processes, [](std::vector<int> v) { return v.empty(); }, std::vector<int>{})
            .get());
}

TEST_CASE("a large argument and a large result pass") {
  runtime rt(pool_of(2));
  constexpr std::size_t size = std::size_t{64} << 20;
  auto made = rt.submit(
      processes, [](std::size_t n) { return std::string(n, 'x'); }, size);
  const std::string text = made.get();
  CHECK(text.size() == size);
  CHECK(text.find_first_not_of('x') == std::string::npos);
  CHECK(rt.submit(
              processes, [](std::string s) { return s.size(); }, text)
            .get() == size);
  check_usable(rt);
}

TEST_CASE("exceptions come back as their standard type") {
  runtime rt(pool_of(1));
  const auto thrown = [&](auto f, auto&&... args) { rt.submit(processes, f, args...).get(); };
  using text = std::string;
  CHECK_THROWS_AS(thrown(throw_it<std::out_of_range, text>, "x"), std::out_of_range);
  CHECK_THROWS_AS(thrown(throw_it<std::invalid_argument, text>, "x"), std::invalid_argument);
  CHECK_THROWS_AS(thrown(throw_it<std::overflow_error, text>, "x"), std::overflow_error);
  CHECK_THROWS_AS(thrown([] { throw std::bad_alloc(); }), std::bad_alloc);
  CHECK(message_of([&] { thrown(throw_it<std::runtime_error, text>, "no salt"); }) == "no salt");
  try {
    thrown([] { throw std::system_error(ENOENT, std::generic_category(), "pantry"); });
    FAIL("nothing was thrown");
  } catch (const std::system_error& failure) {
    CHECK(failure.code() == std::errc::no_such_file_or_directory);
    CHECK(contains(failure.what(), "pantry"));
  }
}

TEST_CASE("an exception of an unknown type is its nearest base and a remote_error") {
  runtime rt(pool_of(1));
  try {
    rt.submit({.on = processes, .name = "stew"}, [] { throw spilled("milk"); }).get();
    FAIL("nothing was thrown");
  } catch (const std::range_error& failure) {
    CHECK(std::string(failure.what()).starts_with("milk ("));
    CHECK(contains(failure.what(), "spilled in task 'stew' ("));
    const auto* remote = dynamic_cast<const remote_error*>(&failure);
    REQUIRE(remote != nullptr);
    CHECK(contains(remote->type(), "spilled"));
    CHECK(remote->task_name() == "stew");
    CHECK(remote->executor() == executor_kind::processes);
  }
  CHECK_THROWS_AS(rt.submit(processes, [] { throw 42; }).get(), remote_error);
}

TEST_CASE("a registered exception comes back exactly") {
  static const bool registered = (register_exception<burnt>("burnt"), true);
  CHECK(registered);
  runtime rt(pool_of(1));
  auto failed = rt.submit(processes, [] {
    register_exception<burnt>("burnt");
    throw burnt("toast");
  });
  CHECK_THROWS_AS(failed.get(), burnt);
}

TEST_CASE("what cannot travel fails with not_transportable and starts nothing") {
  runtime rt(pool_of(1));
  int local = 3;
  auto refused = rt.submit(executor_kind::processes, [&local] { return local; });
  try {
    refused.get();
    FAIL("it travelled");
  } catch (const not_transportable& failure) {
    CHECK(contains(failure.what(), codec::not_transportable_text.data()));
    CHECK(contains(failure.what(), "its type is"));
    CHECK(contains(failure.what(), "lambda"));
    CHECK(failure.executor() == executor_kind::processes);
  }
  CHECK(rt.workers().empty());
}

namespace {

// Refuses to be written, to be read, or neither.
struct moody {
  int mood = 0;
};

}  // namespace

template <>
struct brigade::codec::coder<moody> {
  static void write(writer& out, const moody& value) {
    if (value.mood == 1) out.fail("it is moody");
    out.put(value.mood);
  }
  static moody read(reader& in) {
    const int mood = in.get<int>("a mood");
    if (mood == 2) in.fail("a mood", "it is moody");
    if (mood == 3) ::_exit(5);
    return {mood};
  }
};

namespace {

int mood_of(moody m) { return m.mood; }
moody mood_from(int m) { return {m}; }

}  // namespace

TEST_CASE("a value that cannot be encoded or decoded fails its own future; the worker lives") {
  runtime rt(pool_of(1));
  const int pid = rt.submit(processes, worker_pid).get();
  CHECK_THROWS_AS(rt.submit(processes, mood_of, moody{1}).get(), codec_error);
  CHECK_THROWS_AS(rt.submit(processes, mood_of, moody{2}).get(), codec_error);
  CHECK_THROWS_AS(rt.submit(processes, mood_from, 1).get(), codec_error);
  CHECK_THROWS_AS(rt.submit(processes, mood_from, 2).get(), codec_error);
  try {
    rt.submit({.on = processes, .name = "mood"}, mood_from, 2).get();
  } catch (const codec_error& failure) {
    CHECK(failure.task_name() == "mood");
  }
  CHECK(rt.submit(processes, worker_pid).get() == pid);
  CHECK(rt.submit(processes, mood_of, moody{4}).get() == 4);
}

TEST_CASE("a call whose arguments kill every worker that decodes them is given up") {
  runtime rt(pool_of(2));
  try {
    rt.submit(processes, mood_of, moody{3}).get();
    FAIL("it was decoded");
  } catch (const worker_lost& lost) {
    CHECK_FALSE(lost.started());
    CHECK(lost.exit_code() == 5);
    CHECK(contains(lost.what(), "decoding its arguments"));
  }
  CHECK(rt.stats(processes).workers_lost == 3);
  check_usable(rt);
}

TEST_CASE("an idempotent task is tried again after an exception and after a crash") {
  const signs sign;
  runtime rt(pool_of(2));
  const auto third_time = [](std::string at, bool crash) {
    for (const char* const name : {".1", ".2"}) {
      if (std::filesystem::exists(at + name)) continue;
      give_sign(at + name);
      if (crash) ::_exit(9);
      throw std::runtime_error("not yet");
    }
    return 3;
  };
  const submit_options twice{.on = processes, .retries = 2, .idempotent = true};
  CHECK(rt.submit(twice, third_time, sign("a"), false).get() == 3);
  CHECK(rt.submit(twice, third_time, sign("b"), true).get() == 3);
  CHECK_THROWS_AS(
      rt.submit({.on = processes, .retries = 1, .idempotent = true}, third_time, sign("c"), false)
          .get(),
      std::runtime_error);
  const auto lost_text = [&](const submit_options& how, const std::string& at) -> std::string {
    try {
      (void)rt.submit(how, third_time, at, true).get();
    } catch (const worker_lost& lost) {
      return lost.what();
    }
    return "it came back";
  };
  const std::string again =
      lost_text({.on = processes, .retries = 1, .idempotent = true}, sign("d"));
  CHECK(contains(again, "while the task ran, in its attempt 2, the last"));
  CHECK_FALSE(contains(again, ".retries"));
  // A task that began is never run twice without leave.
  CHECK(contains(lost_text({.on = processes}, sign("e")), ".idempotent = true and .retries"));
  CHECK_FALSE(std::filesystem::exists(sign("e.2")));
}

TEST_CASE("many tasks from many threads each get their own answer") {
  runtime rt(pool_of(3));
  std::vector<std::thread> submitters;
  for (int t = 0; t < 4; ++t) {
    submitters.emplace_back([&rt, t] {
      std::vector<future<int>> futures;
      for (int i = 0; i < 500; ++i)
        futures.push_back(rt.submit(processes, square, t * 500 + i));
      for (int i = 0; i < 500; ++i) {
        const int x = t * 500 + i;
        if (futures[static_cast<std::size_t>(i)].get() != x * x) FAIL_CHECK("wrong answer");
      }
    });
  }
  for (std::thread& each : submitters)
    each.join();
  const executor_stats stats = rt.stats(processes);
  CHECK(stats.submitted == 2000);
  CHECK(stats.started == 2000);
  CHECK(stats.workers_started == 3);
  CHECK(stats.workers_lost == 0);
}

TEST_CASE("tasks of a higher priority go first") {
  const signs sign;
  runtime rt(pool_of(1));
  auto blocker = rt.submit(
      processes,
      [](std::string at) {
        give_sign(at);
        while (!std::filesystem::exists(at + ".go"))
          ::usleep(1000);
      },
      sign("b"));
  sign.await("b");
  const auto note = [](std::string at, std::string mark) {
    std::ofstream(at, std::ios::app) << mark;
  };
  std::vector<future<void>> all;
  all.push_back(rt.submit({.on = processes, .priority = priority::low}, note, sign("o"), "l"));
  all.push_back(rt.submit({.on = processes, .priority = priority::normal}, note, sign("o"), "n"));
  all.push_back(rt.submit({.on = processes, .priority = priority::high}, note, sign("o"), "h"));
  all.push_back(rt.submit({.on = processes, .priority = priority::high}, note, sign("o"), "i"));
  give_sign(sign("b.go"));
  for (auto& each : all)
    each.get();
  blocker.get();
  std::string order;
  std::ifstream(sign("o")) >> order;
  CHECK(order == "hinl");
}

TEST_CASE("a caller that waits for the last of many short tasks is told, whatever else is answered") {
  runtime rt(pool_of(1));
  constexpr int count = 10000;  // so that it waits for longer than the pool's thread looks itself
  for (int round = 0; round < 8; ++round) {
    std::vector<future<int>> all;
    for (int index = 0; index < count; ++index)
      all.push_back(rt.submit(processes, busy_for_us, 20));
    int told = 0;
    for (int index = count; index-- > 0;)
      told += all[static_cast<std::size_t>(index)].get() == 20 ? 1 : 0;
    CHECK(told == count);
  }
}
