// What the benchmarks have in common: contenders that take turns, medians, and a table of ratios.
//
// Every sample runs in a process of its own, forked from this small one, so that no contender finds
// the heap, the threads or the caches of another. A round is one sample of each; the ratio of a
// rival is the median over the rounds of ours against theirs in the same round.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace bench {

// What one run measured. `value` is in the unit of its comparison.
struct sample {
  double value = 0;
  double cpu_ns = 0;  // of the process (or of whom the benchmark says), for each operation
  double bytes = 0;   // for each operation; 0 is not shown
};

struct contender {
  std::string name;
  std::function<sample()> run;  // empty: `name` is not built in, and said so
};

enum class better { higher, lower };

struct comparison {
  std::string title;
  std::string unit;
  better which = better::higher;
  std::vector<contender> contenders;  // ours first
};

// The command line: [--quick] [--rounds N] [--only TEXT] [--who TEXT] [--list].
class program {
 public:
  program(int argc, char** argv);

  // How many operations: `count`, or very few when all that is asked is whether it runs.
  [[nodiscard]] std::size_t operations(std::size_t count) const;
  [[nodiscard]] bool quick() const noexcept { return quick_; }
  // Runs the rounds and prints the rows, unless --only names others; --who is for profilers.
  void compare(const comparison& what);
  // What main() returns: whether every contender gave a result.
  [[nodiscard]] int result() const noexcept { return failed_ ? 1 : 0; }

 private:
  bool quick_ = false;
  bool list_ = false;
  bool failed_ = false;
  bool headed_ = false;
  unsigned rounds_ = 5;
  std::string only_;
  std::string who_;
};

// Wall and CPU time of this process from here on.
class stopwatch {
 public:
  stopwatch();
  [[nodiscard]] double seconds() const;
  [[nodiscard]] double cpu_seconds() const;
  // Operations a second, and CPU time for each.
  [[nodiscard]] sample rate(std::size_t operations) const;
  // In millions a second.
  [[nodiscard]] sample millions(std::size_t operations) const;

 private:
  double wall_;
  double cpu_;
};

// Keeps this process, or the calling thread, on one CPU.
void pin(unsigned cpu);

// Private memory of this process in bytes.
[[nodiscard]] double private_bytes();

// What every task carries: 48 bytes, as a pointer and five numbers would be.
struct cargo {
  std::uint64_t* out;
  std::uint64_t more[5];
};
static_assert(sizeof(cargo) == 48);

// Makes the compiler believe that somebody looks at `value`.
template <class T>
inline void keep(T& value) {
  asm volatile("" : : "g"(&value) : "memory");
}

}  // namespace bench
