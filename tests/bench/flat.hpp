// Whether a task costs the same among many as among few.
#pragma once

#include "bench.hpp"
#include "pools.hpp"
#include "work_load.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

namespace bench {

// Starts the threads, and lets them touch the memory of as many tasks as will be around.
template <class Where>
void warm(brigade::runtime& runtime, Where where) {
  for (int task = 0; task < 2048; ++task)
    runtime.post(where, [padding = std::array<char, 48>{}] { static_cast<void>(padding); });
  runtime.submit(where, [] {}).get();
}

// Ours alone: the "rivals" are more and more tasks.
template <class Where>
void flat(program& run, Where where, const std::string& title) {
  std::vector<contender> all;
  for (const std::size_t tasks : {1'000U, 10'000U, 100'000U, 1'000'000U, 10'000'000U}) {
    const std::size_t count = run.quick() ? std::min<std::size_t>(tasks, 10'000) : tasks;
    all.push_back({"brigade, " + std::to_string(tasks) + " tasks", [count, where] {
                     slots out;
                     auto options = our_options();
                     // A steady state, whatever the number.
                     options.threads.max_pending = options.loop.max_pending = 1024;
                     brigade::runtime runtime(options);
                     warm(runtime, where);
                     const stopwatch watch;
                     for (std::size_t index = 0; index < count; ++index) {
                       runtime.post(where, [with = out.load(index)] { touch(with); });
                     }
                     runtime.shutdown();
                     return watch.millions(count);
                   }});
  }
  run.compare({title, "M/s", better::higher, all});
}

}  // namespace bench
