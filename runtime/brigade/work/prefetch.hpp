// Brings the memory of an item that is about to act nearer.
//
// It was written on another core, or long ago; its lines then come together instead of one after
// the other. A hint: any address will do.
#pragma once

#include <cstdint>

#include <brigade/work/work_item.hpp>

namespace brigade::detail {

inline void prefetch(const work_item* item) noexcept {
  constexpr std::uintptr_t lines = 4;  // of a job with a few words of arguments
  const auto at = reinterpret_cast<std::uintptr_t>(item);
  for (std::uintptr_t line = 0; line < lines; ++line) {
    __builtin_prefetch(reinterpret_cast<const void*>(at + 64 * line), 1);
  }
}

}  // namespace brigade::detail
