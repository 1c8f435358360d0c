#include "kitchen/fingerprint.hpp"

#include <doctest/doctest.h>

#include <set>
#include <vector>

using namespace kitchen;

namespace {

std::vector<std::byte> bytes_of(std::size_t size, std::uint64_t seed) {
  std::vector<std::byte> bytes(size);
  fill_bytes(bytes, seed);
  return bytes;
}

}  // namespace

TEST_CASE("a seed gives the same bytes, whatever their number") {
  const auto long_one = bytes_of(37, 5);
  const auto short_one = bytes_of(19, 5);
  CHECK(std::equal(short_one.begin(), short_one.end(), long_one.begin()));
  CHECK(bytes_of(37, 6) != long_one);
}

TEST_CASE("every single bit of the input changes the hash") {
  auto bytes = bytes_of(27, 1);
  std::set<std::uint64_t> hashes{fingerprint(bytes, 0)};
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    const std::byte mask{static_cast<unsigned char>(1u << (bit % 8))};
    bytes[bit / 8] ^= mask;
    hashes.insert(fingerprint(bytes, 0));
    bytes[bit / 8] ^= mask;
  }
  CHECK(hashes.size() == 27 * 8 + 1);
}

TEST_CASE("length, seed and order count") {
  const std::vector<std::byte> zeros(8);
  CHECK(fingerprint(std::span(zeros).first(7), 0) != fingerprint(zeros, 0));
  CHECK(fingerprint({}, 0) != fingerprint({}, 1));
  CHECK(combined(1, 2) != combined(2, 1));
}
