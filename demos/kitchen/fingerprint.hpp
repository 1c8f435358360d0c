// Whether two kitchens got the same bytes: deterministic pseudo-random bytes, and a 64-bit hash of
// bytes. For comparing results within one program, not for security or for storing.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace kitchen {

inline constexpr std::uint64_t golden = 0x9e3779b97f4a7c15;

// The finaliser of splitmix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators,
// 2014): every bit of the input changes half of the output.
[[nodiscard]] constexpr std::uint64_t mix(std::uint64_t x) noexcept {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

// Two values to one; the order matters.
[[nodiscard]] constexpr std::uint64_t combined(std::uint64_t a, std::uint64_t b) noexcept {
  return mix(mix(a + golden) ^ b);
}

// The same bytes for the same seed, everywhere.
inline void fill_bytes(std::span<std::byte> bytes, std::uint64_t seed) noexcept {
  for (std::size_t at = 0; at < bytes.size(); at += sizeof(std::uint64_t)) {
    const std::uint64_t word = mix(seed += golden);
    std::memcpy(bytes.data() + at, &word, std::min(sizeof word, bytes.size() - at));
  }
}

// Eight bytes at a time, so that hashing a file costs less than reading it.
[[nodiscard]] inline std::uint64_t fingerprint(std::span<const std::byte> bytes,
                                               std::uint64_t seed) noexcept {
  std::uint64_t hash = mix(seed + golden * (bytes.size() + 1));
  for (std::size_t at = 0; at < bytes.size(); at += sizeof(std::uint64_t)) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data() + at, std::min(sizeof word, bytes.size() - at));
    hash = (hash ^ word) * 0xff51afd7ed558ccd;  // odd: no bit of a word is lost
    hash ^= hash >> 32;
  }
  return mix(hash);
}

}  // namespace kitchen
