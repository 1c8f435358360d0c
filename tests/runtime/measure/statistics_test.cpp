#include <brigade/measure/statistics.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <utility>
#include <vector>

using namespace brigade;
using doctest::Approx;

using values = std::vector<double>;

TEST_CASE("quantiles lie between neighbours") {
  const values five{5, 1, 4, 2, 3};
  CHECK(measure::median(five) == 3);
  CHECK(measure::median(values{1, 2, 3, 10}) == Approx(2.5));
  CHECK(measure::quantile(five, 0) == 1);
  CHECK(measure::quantile(five, 1) == 5);
  CHECK(measure::quantile(five, 0.9) == Approx(4.6));
  CHECK(measure::quantile(five, 7) == 5);
  CHECK(measure::median(values{42}) == 42);
  CHECK(measure::median(values{}) == 0);
}

TEST_CASE("a steady ratio is found, whatever disturbed single rounds") {
  const values fast{1.0, 5.0, 1.1, 0.9, 3.0};
  values slow;
  for (const double one : fast) slow.push_back(2 * one);
  const auto ratio = measure::compare_rounds(slow, fast);
  CHECK(ratio.ratio == Approx(2.0));
  CHECK(ratio.low == Approx(2.0));
  CHECK(ratio.high == Approx(2.0));
  CHECK(ratio.rounds == 5);
  CHECK(ratio.rounds_won == 5);
}

TEST_CASE("few rounds cannot be very sure, and say how sure they are") {
  for (const auto& [rounds, confidence] :
       {std::pair{1, 0.0}, {2, 0.5}, {3, 0.75}, {4, 0.875}, {5, 0.9375}, {6, 0.96875}}) {
    const values slow(static_cast<std::size_t>(rounds), 2.0);
    const values fast(static_cast<std::size_t>(rounds), 1.0);
    CHECK(measure::compare_rounds(slow, fast).confidence == Approx(confidence));
  }
}

TEST_CASE("the interval is the one of the signed-rank tables") {
  // n = 10: the table's critical value for 95 % two-sided is 8, the confidence 1 - 2 * 25 / 1024.
  values slow;
  const values fast(10, 1.0);
  for (int i = 1; i <= 10; ++i) slow.push_back(std::exp(i));
  const auto ratio = measure::compare_rounds(slow, fast);
  CHECK(ratio.confidence == Approx(1 - 50.0 / 1024));
  // The averages of 1..10 in pairs, sorted: 1, 1.5, 2, 2, 2.5, 2.5, 3, 3, 3 ...: the ninth is 3.
  CHECK(std::log(ratio.ratio) == Approx(5.5));
  CHECK(std::log(ratio.low) == Approx(3.0));
  CHECK(std::log(ratio.high) == Approx(8.0));
}

TEST_CASE("the interval of alike contestants holds one") {
  const auto ratio =
      measure::compare_rounds(values{1.0, 1.2, 0.9, 1.1, 1.0}, values{1.1, 1.0, 1.0, 1.0, 1.1});
  CHECK(ratio.low < 1);
  CHECK(ratio.high > 1);
  CHECK(ratio.rounds_won == 2);
}

TEST_CASE("only rounds that both have run are compared") {
  const auto ratio = measure::compare_rounds(values{2, 2, 9}, values{1, 1});
  CHECK(ratio.rounds == 2);
  CHECK(ratio.ratio == Approx(2));
  CHECK(measure::compare_rounds({}, values{1}).rounds == 0);
  CHECK(measure::compare_rounds(values{0.0}, values{0.0}).ratio == 1);
}
