// The one recipe of every dish, in its two forms: plain blocking code, and a coroutine that gives
// its chef back while it waits. Both do the same things to the same bytes in the same order:
// first the waits, then the files, then the CPU work.
//
// Orders and servings are plain data: they travel to worker processes and back.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <brigade/brigade.hpp>

namespace kitchen {

// What a chef is told: a dish of the menu with everything resolved.
struct order {
  std::uint32_t index = 0;  // which dish of the evening
  std::uint32_t wait_us = 0;
  std::uint32_t replies = 0;
  std::uint32_t files = 0;
  std::uint32_t file_bytes = 0;
  std::uint64_t stirs = 0;  // steps of CPU work
  std::uint64_t seed = 0;   // of this dish
  std::uint16_t supplier_port = 0;
  std::string pantry;
};

enum class step_kind : std::uint8_t { timer, reply, files, cpu };

// Points of the monotonic clock, which all processes share.
struct step {
  step_kind kind = step_kind::timer;
  std::int64_t start_ns = 0;
  std::int64_t end_ns = 0;
};

// What comes back.
struct serving {
  std::uint32_t index = 0;
  std::uint32_t worker = 0;  // the chef's number within its executor
  std::int32_t pid = 0;
  std::int32_t tid = 0;
  std::int64_t start_ns = 0;
  std::int64_t end_ns = 0;
  std::int64_t cpu_ns = 0;  // of the threads that worked on it, while they did
  std::uint64_t hash = 0;   // over bytes received, file contents and CPU results
  std::vector<step> steps;
};

// Blocks the calling thread throughout.
[[nodiscard]] serving cook(const order& asked);

// For the loop. Its file work is handed to threads, one short task per file.
[[nodiscard]] brigade::task<serving> cook_as_coroutine(order asked);

}  // namespace kitchen
