// A few moments of busy waiting, about half a microsecond, that let the other thread of the core
// work.
#pragma once

namespace brigade::detail {

inline void spin_hint() noexcept {
  for (int step = 0; step < 8; ++step) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
  }
}

}  // namespace brigade::detail
