#include <brigade/measure/table.hpp>

#include <doctest/doctest.h>

#include <brigade/measure/format.hpp>

using namespace brigade;

TEST_CASE("columns are aligned, also with letters of several bytes") {
  measure::table table({{"name", measure::table::align::left}, {"time"}, {"n"}});
  table.add_row({"one", "7 µs", "1"});
  table.add_row({"twenty", "12.5 ms", ""});
  table.add_row({"x"});
  CHECK(table.to_text() ==
        "name       time  n\n"
        "one        7 µs  1\n"
        "twenty  12.5 ms\n"
        "x\n");
}

TEST_CASE("durations keep three digits and find their unit") {
  CHECK(measure::format_seconds(123.4) == "123 s");
  CHECK(measure::format_seconds(20.06) == "20.1 s");
  CHECK(measure::format_seconds(2.543) == "2.54 s");
  CHECK(measure::format_seconds(0.1184) == "0.118 s");
  CHECK(measure::format_seconds(0.0123) == "12.3 ms");
  CHECK(measure::format_seconds(0.00123) == "1.23 ms");
  CHECK(measure::format_seconds(7.2e-6) == "7 µs");
  CHECK(measure::format_seconds(0) == "0 µs");
}

TEST_CASE("bytes, ratios and shares are short") {
  CHECK(measure::format_bytes(12) == "12 B");
  CHECK(measure::format_bytes(655'360) == "640 KiB");
  CHECK(measure::format_bytes(4'300'000) == "4.1 MiB");
  CHECK(measure::format_bytes(3'221'225'472) == "3.00 GiB");
  CHECK(measure::format_ratio(1.018) == "1.02x");
  CHECK(measure::format_ratio(5.43) == "5.4x");
  CHECK(measure::format_ratio(170.2) == "170x");
  CHECK(measure::format_percent(0.98) == "98 %");
  CHECK(measure::format_percent(0.997) == "99.7 %");
  CHECK(measure::format_percent(1) == "100 %");
  CHECK(measure::format_percent(0.004) == "0.4 %");
  CHECK(measure::format_percent(0) == "0 %");
  CHECK(measure::format_fixed(3.14159, 2) == "3.14");
}
