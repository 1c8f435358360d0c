// The two clocks of the kitchen, in nanoseconds: when (the same for all processes of this machine,
// so that times from different kitchens can be compared) and how much CPU this thread has used.
#pragma once

#include <chrono>
#include <cstdint>

#include <brigade/os/clock.hpp>

namespace kitchen {

[[nodiscard]] inline std::int64_t now_ns() noexcept {
  using namespace std::chrono;
  return nanoseconds(steady_clock::now().time_since_epoch()).count();
}
[[nodiscard]] inline std::int64_t thread_cpu_ns() noexcept {
  return brigade::os::thread_cpu_time().count();
}

}  // namespace kitchen
