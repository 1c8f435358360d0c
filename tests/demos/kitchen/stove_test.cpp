#include "kitchen/stove.hpp"

#include <doctest/doctest.h>

#include "kitchen/clocks.hpp"

using namespace kitchen;

TEST_CASE("the same work has the same result") {
  CHECK(stir(1, 1000) == stir(1, 1000));
  CHECK(stir(1, 1000) != stir(2, 1000));
  CHECK(stir(1, 1000) != stir(1, 1001));
  CHECK(stir(7, 0) == 7);
  CHECK(stir(stir(7, 10), 5) == stir(7, 15));
}

TEST_CASE("a calibrated amount takes about the CPU time that was asked for") {
  const auto steps = static_cast<std::uint64_t>(stirs_per_ms() * 50);
  const std::int64_t before = thread_cpu_ns();
  CHECK(stir(1, steps) != 0);
  const double spent_ms = static_cast<double>(thread_cpu_ns() - before) / 1e6;
  CHECK(spent_ms > 25);  // wide: this machine may be busy with other tests
  CHECK(spent_ms < 200);
}
