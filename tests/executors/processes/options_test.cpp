#include <brigade/processes/options.hpp>

#include <algorithm>
#include <stdexcept>

#include <brigade/processes/program.hpp>

#include "executors/processes/pool_support.hpp"

using namespace pool_test;

TEST_CASE("start methods have names that can be read back") {
  for (const start_method how : all_start_methods) {
    CHECK(parse_start_method(to_string(how)) == how);
  }
  CHECK(contains(message_of([] { (void)parse_start_method("forkserve"); }), "forkserver"));
  CHECK_THROWS_AS((void)parse_start_method("thread"), std::invalid_argument);
  CHECK(std::ranges::equal(start_methods(), all_start_methods));
}

TEST_CASE("absurd options are refused by name") {
  CHECK(contains(message_of([] { runtime rt(pool_of(2000)); }), "2000 workers"));
  runtime_options options = pool_of(1);
  options.processes.kill_grace = -5ms;
  CHECK(contains(message_of([&] { runtime rt(options); }), "-5 ms"));
}

TEST_CASE("without a number there is a worker for each CPU") {
  runtime rt{runtime_options{}};
  CHECK(rt.worker_count(processes) >= 1);
}

TEST_CASE("a part is told by its argument, and nothing else is taken for one") {
  detail::part played;
  played.what = detail::role::supervisor;
  played.how = start_method::spawn;
  played.parent = 123;
  const auto read = detail::parse_part(detail::to_argument(played));
  REQUIRE(read);
  CHECK((read->what == detail::role::supervisor));
  CHECK(read->how == start_method::spawn);
  CHECK(read->parent == 123);
  CHECK((detail::parse_part(detail::to_argument({}))->what == detail::role::worker));
  for (const char* const other : {"", "kitchen", "brigade:", "brigade:worker", "brigade:worker:",
                                  "brigade:worker:x", "brigade:chef:1", "brigade:worker:1x"}) {
    CAPTURE(other);
    CHECK_FALSE(detail::parse_part(other));
  }
}
