// What a process has open and running: its descriptors, its children, its threads.
//
// The checks around every test case compare two of these. Read from /proc, without the library
// under test.
#pragma once

#include <chrono>
#include <compare>
#include <string>
#include <vector>

namespace brigade::testing {

// A descriptor, process or thread, and how to tell a human which.
struct item {
  int id = 0;
  std::string text;
  friend auto operator<=>(const item&, const item&) = default;
};

[[nodiscard]] std::vector<item> open_descriptors();
[[nodiscard]] std::vector<item> running_threads();
[[nodiscard]] std::vector<item> children_of(int pid);  // zombies too

struct surroundings {
  std::vector<item> descriptors, processes, threads;

  // Of this process; `processes` are its children and the orphans that its minder adopted.
  [[nodiscard]] static surroundings now();
};

// One line for everything that is in `after` and was not in `before`.
[[nodiscard]] std::vector<std::string> leftovers(const surroundings& before,
                                                 const surroundings& after);

}  // namespace brigade::testing
