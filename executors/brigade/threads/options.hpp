// Options of the thread pool.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include <brigade/work/options.hpp>

namespace brigade {

inline constexpr unsigned most_threads = 4096;

struct threads_options {
  // How many threads run tasks at once; 0 means one for each usable CPU. At most most_threads.
  unsigned workers = 0;
  // Tasks that wait to start, at most, and what a submission does when they are that many.
  std::size_t max_pending = std::size_t{1} << 20;
  brigade::when_full when_full = brigade::when_full::wait;
  // Threads are called "<name>-<index>"; the kernel shows 15 bytes of it.
  std::string name = "threads";
  // Keeps worker i on the i-th CPU (again from the first when there are more workers) of `cpus`,
  // or of all that the process may use when that is empty.
  bool pin = false;
  std::vector<unsigned> cpus = {};
  // Threads beyond `workers`, at most, that stand in for workers blocked in get() or wait(). They
  // start when work waits with nobody to run it, and end when they are no longer needed.
  unsigned spare_limit = 64;
  // Work that waits while no worker takes any for this long is reported to
  // hooks::on_starving_queue, once, within twice the time. Zero, or no such hook: never.
  std::chrono::milliseconds starving_after{1000};
};

}  // namespace brigade
