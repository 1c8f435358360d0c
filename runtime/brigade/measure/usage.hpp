// What a program has used so far, together with all its descendants, and how much memory it holds
// at most while something runs.
//
// The difference of two `usage` is what happened between them:
//
//   const auto before = measure::read_usage();
//   work();
//   const auto used = measure::read_usage() - before;
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <vector>

namespace brigade::measure {

// CPU time is exact for this process, its children and whatever runs; what a child has waited for
// counts in steps of 10 ms while that child runs. Switches of another process's threads that have
// ended count only once that process has ended and was waited for.
// A child that ends while SIGCHLD is ignored takes its counts with it.
struct usage {
  std::chrono::nanoseconds user{0};
  std::chrono::nanoseconds system{0};
  std::uint64_t voluntary_switches = 0;    // waits
  std::uint64_t involuntary_switches = 0;  // turns taken away by the scheduler

  [[nodiscard]] std::chrono::nanoseconds cpu() const noexcept { return user + system; }
  [[nodiscard]] double cpu_s() const noexcept {
    return std::chrono::duration<double>(cpu()).count();
  }

  // Never below zero: counts of a process that went are gone.
  friend usage operator-(const usage& after, const usage& before) noexcept;
  friend usage operator+(const usage& a, const usage& b) noexcept;
};

// Of this process and all its descendants but those in `uncounted` (a local server, say, that the
// work talks to), while these run. Costs about 0.1 ms, and 0.1 ms more per descendant.
[[nodiscard]] usage read_usage(const std::vector<int>& uncounted = {});

// The sum of PSS of the same processes at this moment.
[[nodiscard]] std::uint64_t read_pss_bytes(const std::vector<int>& uncounted = {});

// A thread that looks at read_pss_bytes() again and again and keeps the highest.
//
// A look costs about 0.1 ms per process and 10 MiB. The thread waits `period`, or 20 times what
// the last look took if that is longer: it never takes more than 5 % of one CPU. What is held for
// less than the period may be missed. `cost()` is what the looking itself used, so that it can be
// taken off the measured usage.
class peak_sampler {
 public:
  explicit peak_sampler(std::chrono::milliseconds period = std::chrono::milliseconds(10),
                        std::vector<int> uncounted = {});
  peak_sampler(const peak_sampler&) = delete;
  peak_sampler& operator=(const peak_sampler&) = delete;
  ~peak_sampler();

  // Takes a last look and ends the thread; again returns the same.
  std::uint64_t stop();

  // Finished looks so far; any thread may ask. A peak that lasted less than the time between two
  // looks may have been missed.
  [[nodiscard]] std::uint64_t looks() const noexcept;

  // After stop().
  [[nodiscard]] usage cost() const noexcept;

 private:
  struct state;
  std::unique_ptr<state> state_;
};

}  // namespace brigade::measure
