#include "bench.hpp"

#include <sched.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <optional>
#include <utility>

namespace bench {
namespace {

constexpr unsigned give_up_seconds = 120;

double now_of(clockid_t clock) {
  timespec time{};
  ::clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

// In a child; nothing when it failed.
std::optional<sample> run_apart(const contender& who) {
  int ends[2];
  if (::pipe(ends) != 0) return std::nullopt;
  std::fflush(stdout);
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(ends[0]);
    ::alarm(give_up_seconds);
    int code = 1;
    try {
      const sample measured = who.run();
      code = ::write(ends[1], &measured, sizeof measured) == sizeof measured ? 0 : 1;
    } catch (const std::exception& error) {
      std::fprintf(stderr, "%s: %s\n", who.name.c_str(), error.what());
    }
    ::_exit(code);
  }
  ::close(ends[1]);
  sample measured;
  const bool told = ::read(ends[0], &measured, sizeof measured) == sizeof measured;
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  if (!told || status != 0) return std::nullopt;
  return measured;
}

std::string number(double value) {
  char text[32];
  const int digits = value >= 100 ? 0 : value >= 10 ? 1 : value >= 1 ? 2 : 3;
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

struct row {
  std::vector<double> values, cpu, bytes;
};

}  // namespace

program::program(int argc, char** argv) {
  for (int at = 1; at < argc; ++at) {
    const std::string word = argv[at];
    if (word == "--quick") {
      quick_ = true;
      rounds_ = 1;
    } else if (word == "--list") {
      list_ = true;
    } else if (word == "--rounds" && at + 1 < argc) {
      rounds_ = static_cast<unsigned>(std::max(1, std::atoi(argv[++at])));
    } else if (word == "--only" && at + 1 < argc) {
      only_ = argv[++at];
    } else if (word == "--who" && at + 1 < argc) {
      who_ = argv[++at];
    } else {
      std::fprintf(stderr, "usage: %s [--quick] [--rounds N] [--only TEXT] [--who TEXT] [--list]\n",
                   argv[0]);
      std::exit(2);
    }
  }
}

std::size_t program::operations(std::size_t count) const {
  return quick_ ? std::max<std::size_t>(count / 1000, 16) : count;
}

void program::compare(const comparison& what) {
  if (what.title.find(only_) == std::string::npos) return;
  if (list_) {
    std::printf("%s\n", what.title.c_str());
    return;
  }
  if (!std::exchange(headed_, true)) {
    std::printf(
        "| what | who | median | unit | CPU ns each | bytes each | ours against it |\n"
        "|---|---|---:|---|---:|---:|---:|\n");
  }
  std::vector<row> rows(what.contenders.size());
  for (unsigned round = 0; round < rounds_; ++round) {
    for (std::size_t index = 0; index < rows.size(); ++index) {
      if (!what.contenders[index].run) continue;
      if (what.contenders[index].name.find(who_) == std::string::npos) continue;
      const std::optional<sample> measured = run_apart(what.contenders[index]);
      if (!measured) {
        failed_ = true;
        std::printf("| %s | %s | failed | | | | |\n", what.title.c_str(),
                    what.contenders[index].name.c_str());
        continue;
      }
      rows[index].values.push_back(measured->value);
      rows[index].cpu.push_back(measured->cpu_ns);
      rows[index].bytes.push_back(measured->bytes);
    }
  }
  for (std::size_t index = 0; index < rows.size(); ++index) {
    const row& mine = rows[index];
    const char* const name = what.contenders[index].name.c_str();
    if (!what.contenders[index].run) {
      std::printf("| %s | %s | not here, skipped | | | | |\n", what.title.c_str(), name);
      continue;
    }
    if (mine.values.empty()) continue;
    std::string ratio;
    if (index > 0 && mine.values.size() == rows[0].values.size()) {
      std::vector<double> ratios;
      for (std::size_t round = 0; round < mine.values.size(); ++round) {
        const double ours = rows[0].values[round];
        ratios.push_back(what.which == better::higher ? ours / mine.values[round]
                                                      : mine.values[round] / ours);
      }
      ratio = number(median(ratios)) + "x";
    }
    const double bytes = median(mine.bytes);
    std::printf("| %s | %s | %s | %s | %s | %s | %s |\n", what.title.c_str(), name,
                number(median(mine.values)).c_str(), what.unit.c_str(),
                number(median(mine.cpu)).c_str(), bytes > 0 ? number(bytes).c_str() : "",
                ratio.c_str());
  }
  std::fflush(stdout);
}

stopwatch::stopwatch() : wall_(now_of(CLOCK_MONOTONIC)), cpu_(now_of(CLOCK_PROCESS_CPUTIME_ID)) {}

double stopwatch::seconds() const { return now_of(CLOCK_MONOTONIC) - wall_; }

double stopwatch::cpu_seconds() const { return now_of(CLOCK_PROCESS_CPUTIME_ID) - cpu_; }

sample stopwatch::rate(std::size_t operations) const {
  const auto count = static_cast<double>(operations);
  return {count / seconds(), 1e9 * cpu_seconds() / count, 0};
}

sample stopwatch::millions(std::size_t operations) const {
  sample result = rate(operations);
  result.value /= 1e6;
  return result;
}

void pin(unsigned cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  ::sched_setaffinity(0, sizeof set, &set);
}

double private_bytes() {
  std::ifstream rollup("/proc/self/smaps_rollup");
  std::string key;
  double total = 0;
  for (std::string word; rollup >> word;) {
    if (word.rfind("Private_", 0) == 0) {
      double kib = 0;
      rollup >> kib;
      total += 1024 * kib;
    }
  }
  return total;
}

}  // namespace bench
