#include <brigade/wire/area.hpp>

#include <deque>
#include <random>

#include <doctest/doctest.h>

using brigade::wire::area;
using brigade::wire::inside_area;

TEST_CASE("an empty area starts at its first byte again") {
  area bytes(100);
  CHECK(bytes.place(60, 0) == 0);
  CHECK(bytes.place(30, 60) == 100);
  CHECK(bytes.place(60, 100) == 130);  // 30 bytes in use, 60 more
  CHECK_FALSE(bytes.place(60, 100));
}

TEST_CASE("a body lies in one piece, and the rest before the end is left out") {
  area bytes(100);
  CHECK(bytes.place(40, 0) == 0);
  CHECK(bytes.place(40, 0) == 40);
  CHECK_FALSE(bytes.place(40, 0));
  CHECK(bytes.place(40, 40) == 100);
  CHECK_FALSE(bytes.place(1, 40));
}

TEST_CASE("what can never fit, and a position that cannot be, are refused") {
  area bytes(100);
  CHECK_FALSE(bytes.place(101, 0));
  CHECK_FALSE(bytes.place(1, 7));
  CHECK(bytes.place(100, 0) == 0);
  CHECK_FALSE(bytes.place(1, 0));
}

TEST_CASE("bodies in use never overlap, whatever is let go when") {
  std::mt19937 random(11);
  constexpr std::uint64_t size = 1000;
  area bytes(size);
  struct body {
    std::uint64_t at, size;
  };
  std::deque<body> used;
  std::uint64_t freed = 0;
  int placed = 0;
  for (int step = 0; step < 100000; ++step) {
    if (random() % 2 == 0 && !used.empty()) {
      freed = used.front().at + used.front().size;
      used.pop_front();
      continue;
    }
    const std::uint64_t wanted = 1 + random() % 300;
    const auto at = bytes.place(wanted, freed);
    if (!at) continue;
    ++placed;
    const std::uint64_t begin = *at % size;
    REQUIRE(inside_area(*at, wanted, size));
    for (const body& each : used) {
      const std::uint64_t other = each.at % size;
      REQUIRE((begin + wanted <= other || other + each.size <= begin));
    }
    used.push_back({*at, wanted});
  }
  CHECK(placed > 10000);
}

TEST_CASE("what a peer says of a position is checked without overflow") {
  CHECK(inside_area(0, 100, 100));
  CHECK(inside_area(90, 10, 100));
  CHECK_FALSE(inside_area(91, 10, 100));
  CHECK_FALSE(inside_area(0, 101, 100));
  CHECK_FALSE(inside_area(~std::uint64_t{0}, ~std::uint64_t{0}, 100));
  CHECK(inside_area(~std::uint64_t{0} / 100 * 100, 100, 100));
}
