// A moment of busy waiting that lets the other thread of the core work, and how many of them make
// up for a sleep that was avoided: some 20 microseconds, less than what a wake-up costs.
#pragma once

#include <algorithm>

namespace brigade::wire {

inline constexpr unsigned spin_rounds = 400;

inline void pause_for_a_moment() noexcept {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// Whether busy waiting has been worth it lately. On a machine where others want the CPU it is not:
// then it is tried now and then only. One thread uses it.
class spin_habit {
 public:
  [[nodiscard]] bool is_worth_it() noexcept { return credit_ > 0 || ++skipped_ % 64 == 0; }
  void note(bool worked) noexcept {
    credit_ = worked ? std::min(credit_ + 2, 16) : std::max(credit_ - 1, 0);
  }

 private:
  int credit_ = 4;
  unsigned skipped_ = 0;
};

}  // namespace brigade::wire
