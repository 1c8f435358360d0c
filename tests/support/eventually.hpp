// Waits for something that another thread or process brings about, with a limit.
//
// For what can only be looked at (/proc, a counter). Where there is something to wait on (a future,
// an event), wait on that.
#pragma once

#include <chrono>
#include <thread>

namespace brigade::testing {

// True as soon as condition() is; false when it was not within the limit.
template <class Condition>
[[nodiscard]] bool eventually(Condition condition,
                              std::chrono::milliseconds limit = std::chrono::seconds(60)) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  for (;;) {
    if (condition()) return true;
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

}  // namespace brigade::testing
