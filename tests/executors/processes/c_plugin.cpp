// A plug-in for programs in C, with tasks of its own: its workers are another program.
#include <cstdio>
#include <exception>
#include <vector>

#include <brigade/runtime/runtime.hpp>

namespace {

int square(int x) { return x * x; }

}  // namespace

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
    return sum;
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "%s\n", failure.what());
    return -1;
  }
}
