#include <brigade/processes/output_reader.hpp>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <string>
#include <vector>

#include <unistd.h>

#include "executors/processes/pool_support.hpp"

using namespace pool_test;

namespace {

struct captured {
  std::mutex mutex;
  std::vector<std::string> lines;

  void add(const output_line& line) {
    const std::lock_guard lock(mutex);
    lines.push_back(std::to_string(line.worker.index) + (line.worker.pid > 0 ? "" : "?") + " " +
                    std::string(line.task_name) +
                    (line.stream == output_stream::err ? "! " : ": ") + std::string(line.text));
  }
  [[nodiscard]] bool has(const std::string& line, std::ptrdiff_t times = 1) {
    const std::lock_guard lock(mutex);
    return std::ranges::count(lines, line) == times;
  }
};

}  // namespace

TEST_CASE("output comes in whole lines with the worker and the task that wrote it") {
  for (const start_method how : all_start_methods) {
    CAPTURE(to_string(how));
    captured seen;
    runtime_options options = pool_of(1, how);
    options.processes.initializer = [] { ::puts("hello"); };
    options.processes.on_output = [&](const output_line& line) { seen.add(line); };
    {
      runtime rt(std::move(options));
      const auto talk = [](std::string text) {
        std::fputs(text.c_str(), stdout);
        std::fputs("oh\n", stderr);
        if (text == "dying") ::_exit(3);
      };
      rt.submit({.on = processes, .name = "one"}, talk, "first\nsecond\npart").get();
      rt.submit({.on = processes, .name = "two"}, talk, "third\n\nlast\n").get();
      rt.submit({.on = processes, .name = "a\nb"}, talk, std::string(100000, 'x') + "\n").get();
      CHECK_THROWS_AS(rt.submit({.on = processes, .name = "end"},
                                [] {
                                  std::fputs("dying\nwords", stdout);
                                  std::fflush(stdout);
                                  ::_exit(3);
                                })
                          .get(),
                      worker_lost);
      check_usable(rt);
    }
    CHECK(seen.has("0 : hello", 2));
    CHECK(seen.has("0 one: first"));
    CHECK(seen.has("0 one: second"));
    CHECK(seen.has("0 one: part"));
    CHECK(seen.has("0 one! oh"));
    CHECK(seen.has("0 two: third"));
    CHECK(seen.has("0 two: "));
    CHECK(seen.has("0 two: last"));
    CHECK(seen.has("0 two! oh"));
    CHECK(seen.has("0 end: dying"));
    CHECK(seen.has("0 end: words"));
    std::size_t long_ones = 0;
    for (const std::string& each : seen.lines)
      long_ones += contains(each, "a b: xxx") ? 1 : 0;
    CHECK(long_ones >= 2);  // in pieces
    CHECK(seen.lines.size() == 2 + 4 + 4 + long_ones + 1 + 2);
  }
}

TEST_CASE("a hook that throws and a worker that writes much disturb nobody") {
  std::atomic<int> count{0};
  runtime_options options = pool_of(2);
  options.hooks.on_error = [](const task_identity&, const std::exception_ptr&) {};
  options.processes.on_output = [&](const output_line&) {
    if (count.fetch_add(1) % 2 == 0) throw std::runtime_error("no");
  };
  {
    runtime rt(std::move(options));
    const auto chatter = [] {
      for (int i = 0; i < 20000; ++i)
        std::printf("line %d\n", i);
    };
    auto first = rt.submit(processes, chatter);
    auto second = rt.submit(processes, chatter);
    first.get();
    second.get();
    rt.submit(processes, [] { ::close(1); }).get();
    check_usable(rt);
  }
  CHECK(count.load() == 40000);
}
