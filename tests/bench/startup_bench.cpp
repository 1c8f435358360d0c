// P5 and P6: how long a fresh program takes until a worker process has given it a result, and what
// a worker costs that has nothing to do.
//
// The fresh program is this one, started with --first; it says by a byte that it has a result. What
// an exec of it costs that makes no pool at all is measured beside.
#include "bench.hpp"
#include "scripts.hpp"

#include <brigade/brigade.hpp>
#include <brigade/os/proc.hpp>

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>
#include <thread>

namespace {

using namespace bench;
using namespace std::chrono_literals;

constexpr const char* bare = "bare";

int next_of(int x) { return x + 1; }

brigade::runtime_options pool(brigade::start_method how, unsigned workers) {
  brigade::runtime_options options;
  options.processes.workers = workers;
  options.processes.start = how;
  return options;
}

// --- P5 ------------------------------------------------------------------------------------------

int say_so(int to) { return ::write(to, "!", 1) == 1 ? 0 : 1; }

// The fresh program.
int be_first(const std::string& how, unsigned workers, int to) {
  if (how == bare) return say_so(to);
  brigade::runtime rt(pool(brigade::parse_start_method(how), workers));
  if (rt.submit(brigade::processes, next_of, 1).get() != 2) return 1;
  return say_so(to);
}

sample first_result(const std::string& how, unsigned workers, std::size_t count) {
  double total = 0;
  for (std::size_t i = 0; i < count; ++i) {
    int ends[2];
    if (::pipe(ends) != 0) throw std::runtime_error("pipe");
    std::string words[5] = {"bench_startup", "--first", how, std::to_string(workers),
                            std::to_string(ends[1])};
    char* arguments[6] = {};
    std::transform(std::begin(words), std::end(words), arguments,
                   [](std::string& each) { return each.data(); });
    pid_t child = 0;
    const stopwatch watch;
    if (::posix_spawn(&child, "/proc/self/exe", nullptr, nullptr, arguments, environ) != 0) {
      throw std::runtime_error("posix_spawn");
    }
    ::close(ends[1]);
    char sign = 0;
    const bool told = ::read(ends[0], &sign, 1) == 1;
    total += watch.seconds();
    ::close(ends[0]);
    int status = 0;
    ::waitpid(child, &status, 0);
    if (!told || status != 0) throw std::runtime_error("a fresh program failed");
  }
  return {total * 1e3 / static_cast<double>(count), 0, 0};
}

void first(program& run) {
  const std::size_t count = run.quick() ? 1 : 20;
  for (const unsigned workers : {2U, run.quick() ? 3U : 16U}) {
    comparison what{"P5 first result of a fresh program, " + std::to_string(workers) + " workers",
                    "ms",
                    better::lower,
                    {}};
    for (const char* how : {"forkserver", "fork", "spawn", bare}) {
      const std::string name =
          how == bare ? "an exec without a pool" : std::string("brigade ") + how;
      what.contenders.push_back({name, [=] { return first_result(how, workers, count); }});
    }
    if (has_python()) {
      for (const std::string how : {"fork", "forkserver"}) {
        what.contenders.push_back(script("multiprocessing.Pool " + how + ", in a warm interpreter",
                                         python + how + "-first " + std::to_string(workers)));
      }
    } else {
      what.contenders.push_back({"Python", {}});
    }
    run.compare(what);
  }
}

// --- P6 ------------------------------------------------------------------------------------------

sample idle_memory(brigade::start_method how, std::uint64_t brigade::os::memory_reading::*field) {
  brigade::runtime rt(pool(how, 2));
  while (rt.workers().size() < 2) {
    rt.submit(brigade::processes, next_of, 1).get();
    std::this_thread::sleep_for(1ms);
  }
  for (int i = 0; i < 100; ++i)
    rt.submit(brigade::processes, next_of, i).get();
  std::uint64_t most = 0;
  for (const auto& each : rt.workers()) {
    const auto read = brigade::os::read_memory(each.pid);
    if (!read) throw std::runtime_error("smaps_rollup cannot be read");
    most = std::max(most, (*read).*field);
  }
  return {static_cast<double>(most) / (1 << 20), 0, 0};
}

void idle(program& run) {
  for (const bool all : {false, true}) {
    comparison what{
        all ? "P6 idle worker, PSS" : "P6 idle worker, Private_Dirty", "MiB", better::lower, {}};
    const auto field = all ? &brigade::os::memory_reading::pss_bytes
                           : &brigade::os::memory_reading::private_dirty_bytes;
    for (const auto how : brigade::all_start_methods) {
      what.contenders.push_back({"brigade " + std::string(brigade::to_string(how)),
                                 [=] { return idle_memory(how, field); }});
    }
    if (has_python()) {
      what.contenders.push_back(
          script("multiprocessing.Pool", python + (all ? "pool-pss 2" : "pool-private 2")));
    } else {
      what.contenders.push_back({"Python", {}});
    }
    run.compare(what);
  }
}

}  // namespace

int main(int argc, char** argv) {
  brigade::init(argc, argv);
  if (argc == 5 && std::strcmp(argv[1], "--first") == 0) {
    return be_first(argv[2], static_cast<unsigned>(std::atoi(argv[3])), std::atoi(argv[4]));
  }
  program run(argc, argv);
  first(run);
  idle(run);
  return run.result();
}
