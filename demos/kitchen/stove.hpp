// CPU work that is the same everywhere: a chain of arithmetic in which each step needs the last,
// so that neither the compiler nor a wide processor can shorten it.
#pragma once

#include <cstdint>

namespace kitchen {

// `iterations` steps from `seed`; about 5 ns each on one CPU.
[[nodiscard]] std::uint64_t stir(std::uint64_t seed, std::uint64_t iterations) noexcept;

// How many steps this CPU does in a millisecond, measured now, in about 40 ms. Done once per
// program run: what differs between kitchens is then how long the same steps took.
[[nodiscard]] double stirs_per_ms();

}  // namespace kitchen
