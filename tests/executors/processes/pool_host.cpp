// The host program of some tests: what it does is its first argument. What it finds it prints.
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include <brigade/base/error.hpp>
#include <brigade/processes/process.hpp>
#include <brigade/runtime/init.hpp>
#include <brigade/runtime/runtime.hpp>
#include <brigade/work/submit.hpp>

using namespace brigade;
using namespace std::chrono_literals;

#ifdef VERSIONED
int version();
#endif

#ifdef THREADED
// As some libraries do: a thread is running before main() begins.
struct thread_from_the_start {
  std::jthread thread{[](std::stop_token stop) {
    while (!stop.stop_requested())
      std::this_thread::sleep_for(1ms);
  }};
} early;
#endif

namespace {

int square(int x) { return x * x; }

std::vector<void*> kept;

void spin(std::string sign) {
  std::ofstream(sign) << "here";
  const volatile bool always = true;
  while (always) {
  }
}

std::string command_line() {
  std::ifstream file("/proc/self/cmdline");
  return {std::istreambuf_iterator<char>(file), {}};
}

runtime_options options_of(start_method how) {
  runtime_options options;
  options.processes.workers = 2;
  options.processes.start = how;
  options.processes.boot_limit = 500ms;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  options.processes.boot_limit = 5s;
#endif
  return options;
}

// Prints the type and the text of what a task ends with.
void try_task(runtime& rt) {
  try {
    const int result = rt.submit(processes, square, 7).get();
    std::cout << "result " << result << std::endl;
  } catch (const worker_start_failed& failure) {
    std::cout << "worker_start_failed " << failure.what() << std::endl;
  } catch (const build_mismatch& failure) {
    std::cout << "build_mismatch " << failure.what() << std::endl;
  } catch (const std::exception& failure) {
    std::cout << "another error " << failure.what() << std::endl;
  }
}

volatile std::sig_atomic_t interrupted = 0;

int wait_and_square(std::string sign) {
  std::ofstream(sign + "/here") << "here";
  while (!std::ifstream(sign + "/go"))
    ::usleep(1000);
  return 49;
}

// The first Ctrl-C is handled, the second one has its usual effect.
int be_interrupted(runtime& rt, const std::string& sign) {
  struct sigaction once {};
  once.sa_handler = [](int) { interrupted = 1; };
  once.sa_flags = static_cast<int>(SA_RESETHAND);
  ::sigaction(SIGINT, &once, nullptr);
  auto running = rt.submit(processes, wait_and_square, sign);
  while (interrupted == 0)
    ::usleep(1000);
  std::cout << "interrupted" << std::endl;
  std::cout << running.get() << std::endl;
  rt.submit(processes, spin, sign + "/1").get();
  return 1;
}

int hoard() {
  for (std::size_t mib = 0; mib < 4096; ++mib) {
    void* const block = std::malloc(std::size_t{1} << 20);
    if (block == nullptr) return 1;
    std::memset(block, 1, std::size_t{1} << 20);
    kept.push_back(block);
  }
  return 0;
}

// What is told of a worker that took too much memory, and what of one that somebody killed.
void tell_losses(runtime& rt) {
  const auto tell = [&](int (*f)()) {
    try {
      rt.submit(processes, f).get();
      std::cout << "it came back" << std::endl;
    } catch (const worker_lost& lost) {
      std::cout << (lost.death().out_of_memory ? "memory " : "other ") << lost.signal().value_or(0)
                << " " << lost.what() << std::endl;
    }
  };
  tell(hoard);
  tell([] { return ::raise(SIGKILL); });
}

int run(const std::string& what, start_method how, const std::string& sign) {
  if (what == "processes") {
    process_options options;
    options.start = how;
    process first(options, spin, sign + "/1");
    process second(options, spin, sign + "/2");
    first.start();
    second.start();
    first.join();
    return 1;
  }
  runtime rt(options_of(how));
  if (what == "ctrl-c") return be_interrupted(rt, sign);
  if (what == "spin") {
    auto first = rt.submit(processes, spin, sign + "/1");
    auto second = rt.submit(processes, spin, sign + "/2");
    first.get();
    return 1;
  }
  if (what == "wait") {
    try_task(rt);
    std::cin.get();
  }
  if (what == "late" || what == "hoard") {
    std::cout << "ready" << std::endl;
    std::cin.get();
  }
  if (what == "hoard") tell_losses(rt);
  try_task(rt);
  if (what == "how") std::cout << rt.submit(processes, command_line).get() << std::endl;
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const bool played = argc == 2 && std::strncmp(argv[1], "brigade:", 8) == 0;
  const char* const misbehave = std::getenv("MISBEHAVE");
  const std::string fault = misbehave != nullptr ? misbehave : "";
  if (played && fault == "exit") return 3;
  if (played && fault == "hang") ::pause();
  if (played && fault == "exit in workers" && std::strstr(argv[1], "worker") != nullptr) return 9;
  if (fault == "empty init") {
    init(0, nullptr);
    if (played) return run("task", start_method::forkserver, {});
  } else if (fault != "no init") {
    init(argc, argv);
  } else if (played) {
    return 0;
  }
#ifdef VERSIONED
  if (version() == 0) return 1;
#endif
  return run(argv[1], parse_start_method(argv[2]), argc > 3 ? argv[3] : "");
}
