// How the event loop of a runtime is set up. Every member has a default.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>

#include <brigade/work/options.hpp>

namespace brigade {

struct loop_options {
  // Tasks that may wait in the queue, and what submit does when that many do.
  std::size_t max_pending = std::size_t{1} << 20;
  brigade::when_full when_full = brigade::when_full::wait;
  // Of the thread, as ps and top show it (15 bytes).
  std::string name = "brigade-loop";
  // Keeps the thread on that CPU, one that this process may use.
  std::optional<unsigned> cpu = {};
  // A task that keeps the loop from turning for this long is reported, once, while it still does
  // (see hooks::on_blocked_loop). Time for which others had the CPU does not count. Zero: never.
  std::chrono::milliseconds blocked_after{100};
};

}  // namespace brigade
