// The output of a process, captured as that of a pool's workers.
#include <brigade/processes/process.hpp>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <set>
#include <string>
#include <vector>

#include "executors/processes/pool_support.hpp"

using namespace pool_test;

TEST_CASE("its output comes in whole lines, and all of them before join returns") {
  for (const start_method how : all_start_methods) {
    CAPTURE(to_string(how));
    process_options options;
    options.name = "announcer";
    options.start = how;
    std::vector<std::string> lines;
    std::set<int> pids;
    options.on_output = [&](const output_line& line) {
      pids.insert(line.worker.pid);
      lines.push_back(std::string(line.task_name) + " " + line.worker.name +
                      (line.stream == output_stream::err ? "! " : ": ") + std::string(line.text));
    };
    process one(options, [] {
      std::puts("first");
      std::fputs("unfinished", stdout);
      std::fflush(stdout);
      throw std::runtime_error("burnt");
    });
    one.start();
    one.join();
    CHECK(one.exit_code() == 1);
    CHECK(pids == std::set<int>{one.pid().value()});
    std::ranges::sort(lines);
    CHECK(lines == std::vector<std::string>{
                       "announcer announcer! brigade: process 'announcer' ended with an exception: "
                       "burnt",
                       "announcer announcer: first", "announcer announcer: unfinished"});
  }
}

TEST_CASE("what it wrote before it was killed comes, and a hook that throws harms nobody") {
  const signs sign;
  process_options options;
  std::atomic<int> count{0};
  options.daemon = true;
  options.on_output = [&](const output_line& line) {
    if (line.stream == output_stream::err) return;
    if (count.fetch_add(1) == 1) throw std::runtime_error("a hook that throws");
  };
  {
    process one(
        options,
        [](std::string at) {
          std::puts("one\ntwo\nthree");
          spin(at);
        },
        sign("here"));
    one.start();
    sign.await("here");
  }
  CHECK(count.load() == 3);
}
