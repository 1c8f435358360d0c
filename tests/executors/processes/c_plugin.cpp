// A plug-in for programs in C, with tasks of its own: its workers are another program.
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <vector>

#include <brigade/processes/process.hpp>
#include <brigade/runtime/runtime.hpp>

namespace {

int square(int x) { return x * x; }
std::vector<int> same(std::vector<int> numbers) { return numbers; }

}  // namespace

// The exit code of a process of its own, which is the sum of what it printed.
extern "C" int count_in_a_process(const char* worker_program, int n) {
  try {
    brigade::process_options options;
    options.worker_program = worker_program;
    int sum = 0;
    options.on_output = [&sum](const brigade::output_line& line) {
      sum += std::atoi(std::string(line.text).c_str());
    };
    const auto count = [](int most) {
      for (int i = 1; i <= most; ++i)
        std::printf("%d\n", i);
      std::exit(most);
    };
    brigade::process one(options, count, n);
    one.start();
    one.join();
    return one.exit_code() == n ? sum : -2;
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "%s\n", failure.what());
    return -1;
  }
}

extern "C" int sum_of_squares(const char* worker_program, int n) {
  try {
    brigade::runtime_options options;
    options.processes.workers = 2;
    options.processes.worker_program = worker_program;
    brigade::runtime rt(options);
    std::vector<brigade::future<int>> squares;
    for (int i = 1; i <= n; ++i)
      squares.push_back(rt.submit(brigade::processes, square, i));
    int sum = 0;
    for (auto& each : squares)
      sum += each.get();
    const std::vector<int> many(1'100'000, n);  // beside the lane, there and back
    if (rt.submit(brigade::processes, same, many).get() != many) return -3;
    return sum;
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "%s\n", failure.what());
    return -1;
  }
}
