// What a pool of worker processes has to stand: a thousand kills at random while it works, and ten
// million tasks. No rival: it holds or it fails.
//
// Usage: bench_endurance [--quick] [--kills N] [--tasks N] [--workers N]
//
// Kills: each task notes in a file that all share that it began and that it ended. A task is lost
// when its future says so. Exactly the running ones are lost when
//   - every task that has a result began once and ended,
//   - every lost one began, not twice, and its worker is one that was killed, which lost no other,
//   - every one that began and did not end is lost.
// Tasks: the private memory of the host is the same after a tenth of them as after all.
#include "bench.hpp"

#include <brigade/brigade.hpp>
#include <brigade/os/proc.hpp>

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <filesystem>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace bench;
using namespace std::chrono_literals;
namespace bg = brigade;

constexpr const char* variable = "BRIGADE_ENDURANCE_FILE";
constexpr std::size_t most_marks = std::size_t{1} << 24;
constexpr std::size_t in_flight = 256;
constexpr double most_growth = 4 << 20;

struct mark {
  std::atomic<unsigned char> begun;
  std::atomic<unsigned char> ended;
};
static_assert(std::atomic<unsigned char>::is_always_lock_free);

mark* map_marks(const char* path, int flags) {
  const int file = ::open(path, flags | O_CLOEXEC, 0600);
  constexpr std::size_t bytes = most_marks * sizeof(mark);  // sparse
  if (file < 0 || ((flags & O_CREAT) != 0 && ::ftruncate(file, bytes) != 0)) {
    throw std::runtime_error(std::string("the file of marks cannot be opened: ") + path);
  }
  void* const at = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  ::close(file);
  if (at == MAP_FAILED) throw std::runtime_error("mmap");
  return static_cast<mark*>(at);
}

// 50 to 300 us, so that most kills hit a task.
std::uint64_t toil(std::uint64_t number) {
  static mark* const marks = map_marks(std::getenv(variable), O_RDWR);
  marks[number].begun.fetch_add(1);
  const auto until =
      std::chrono::steady_clock::now() + std::chrono::microseconds(50 + number % 250);
  while (std::chrono::steady_clock::now() < until) {
  }
  marks[number].ended.fetch_add(1);
  return number;
}

bool holds(bool what, const char* text, std::uint64_t number) {
  if (!what) std::printf("BROKEN: task %llu %s\n", static_cast<unsigned long long>(number), text);
  return what;
}

class kill_test {
 public:
  explicit kill_test(unsigned workers) : workers_(workers) {
    path_ = (std::filesystem::temp_directory_path() / "brigade-endurance-").string() +
            std::to_string(::getpid());
    marks_ = map_marks(path_.c_str(), O_RDWR | O_CREAT | O_EXCL);
  }
  kill_test(const kill_test&) = delete;
  kill_test& operator=(const kill_test&) = delete;
  ~kill_test() {
    ::munmap(marks_, most_marks * sizeof(mark));
    ::unlink(path_.c_str());
  }

  bool run(std::size_t kills) {
    const stopwatch watch;
    {
      bg::runtime_options options;
      options.processes.workers = workers_;
      options.processes.environment = {{variable, path_}};
      bg::runtime rt(std::move(options));
      std::atomic<bool> done{false};
      std::thread killer([&] {
        kill_at_random(rt, kills);
        done.store(true);
      });
      std::deque<bg::future<std::uint64_t>> flying;
      while (!done.load() && tasks_ < most_marks) {
        if (flying.size() == in_flight) settle(flying);
        flying.push_back(rt.submit(bg::processes, toil, tasks_++));
      }
      killer.join();
      while (!flying.empty())
        settle(flying);
    }
    for (std::uint64_t i = 0; i < tasks_; ++i) {
      if (marks_[i].ended.load() == 0 && marks_[i].begun.load() != 0) {
        whole_ = holds(lost_.contains(i), "began, did not end, and is not lost", i) && whole_;
      }
    }
    for (const int pid : losers_) {
      if (killed_.contains(pid)) continue;
      std::printf("BROKEN: process %d lost a task and was not killed\n", pid);
      whole_ = false;
    }
    const bool alone = bg::os::children_of(::getpid()).empty();
    std::printf("%zu kills of %u workers in %.1f s: %llu tasks, %zu lost, %s; processes left: %s\n",
                killed_.size(), workers_, watch.seconds(), static_cast<unsigned long long>(tasks_),
                lost_.size(),
                whole_ ? "exactly those that were running" : "NOT exactly the running ones",
                alone ? "none" : "SOME");
    return whole_ && alone && killed_.size() == kills;
  }

 private:
  void kill_at_random(bg::runtime& rt, std::size_t kills) {
    std::mt19937_64 random(std::random_device{}());
    while (killed_.size() < kills) {
      std::this_thread::sleep_for(std::chrono::microseconds(random() % 4000));
      const auto workers = rt.workers();
      if (workers.empty()) continue;
      const int victim = workers[random() % workers.size()].pid;
      if (!killed_.insert(victim).second) continue;
      ::kill(victim, SIGKILL);
    }
  }

  void settle(std::deque<bg::future<std::uint64_t>>& flying) {
    const std::uint64_t number = settled_++;
    const mark& noted = marks_[number];
    try {
      const std::uint64_t result = flying.front().get();
      whole_ = holds(result == number, "has another's result", number) && whole_;
      whole_ =
          holds(noted.begun.load() == 1, "has a result and did not begin once", number) && whole_;
      whole_ =
          holds(noted.ended.load() == 1, "has a result and did not end once", number) && whole_;
    } catch (const bg::worker_lost& lost) {
      lost_.insert(number);
      losers_.push_back(lost.pid());
      // Between the worker's "it begins" and the task's own note is a moment.
      whole_ = holds(lost.started(), "is lost and did not begin", number) && whole_;
      whole_ = holds(noted.begun.load() <= 1, "is lost and began twice", number) && whole_;
      whole_ = holds(lost.signal() == SIGKILL, "is lost, but not by a kill", number) && whole_;
      const bool first = std::ranges::count(losers_, lost.pid()) == 1;
      whole_ = holds(first, "is the second one that a worker lost", number) && whole_;
    }
    flying.pop_front();
  }

  const unsigned workers_;
  std::string path_;
  mark* marks_;
  std::uint64_t tasks_ = 0;
  std::uint64_t settled_ = 0;
  bool whole_ = true;
  std::set<int> killed_;  // the killer's, until it has ended
  std::set<std::uint64_t> lost_;
  std::vector<int> losers_;
};

int next_of(int x) { return x + 1; }

bool memory_stays(std::size_t tasks, unsigned workers) {
  constexpr std::size_t parts = 10;
  bg::runtime_options options;
  options.processes.workers = workers;
  bg::runtime rt(std::move(options));
  std::deque<bg::future<int>> flying;
  std::array<double, parts> host{};
  std::uint64_t of_worker = 0;
  const stopwatch watch;
  for (double& each : host) {
    for (std::size_t i = 0; i < tasks / parts; ++i) {
      if (flying.size() == 1024) {
        flying.front().get();
        flying.pop_front();
      }
      flying.push_back(rt.submit(bg::processes, next_of, static_cast<int>(i)));
    }
    each = private_bytes();
  }
  for (auto& each : flying)
    each.get();
  const double seconds = watch.seconds();
  for (const auto& each : rt.workers()) {
    of_worker = std::max(of_worker, bg::os::read_private_resident_bytes(each.pid).value_or(0));
  }
  const bool flat = *std::ranges::max_element(host) - host[0] < most_growth;
  std::printf("%zu tasks in %.1f s, %.2f M/s: private memory of the host after each tenth, KiB:",
              tasks, seconds, static_cast<double>(tasks) / seconds / 1e6);
  for (const double each : host)
    std::printf(" %.0f", each / 1024);
  std::printf("; of the largest worker %llu KiB: %s\n",
              static_cast<unsigned long long>(of_worker / 1024), flat ? "flat" : "it GROWS");
  return flat;
}

}  // namespace

int main(int argc, char** argv) {
  bg::init(argc, argv);
  std::size_t kills = 1000;
  std::size_t tasks = 10'000'000;
  unsigned workers = 4;
  for (int at = 1; at < argc; ++at) {
    const std::string word = argv[at];
    if (word == "--quick") {
      kills = 10;
      tasks = 10'000;
    } else if (word == "--kills" && at + 1 < argc) {
      kills = static_cast<std::size_t>(std::atoll(argv[++at]));
    } else if (word == "--tasks" && at + 1 < argc) {
      tasks = static_cast<std::size_t>(std::atoll(argv[++at]));
    } else if (word == "--workers" && at + 1 < argc) {
      workers = static_cast<unsigned>(std::atoi(argv[++at]));
    } else {
      std::fprintf(stderr, "usage: %s [--quick] [--kills N] [--tasks N] [--workers N]\n", argv[0]);
      return 2;
    }
  }
  bool good = true;
  if (kills != 0) good = kill_test(workers).run(kills);
  if (tasks != 0) good = memory_stays(tasks, workers) && good;
  return good ? 0 : 1;
}
