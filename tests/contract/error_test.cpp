#include "contract.hpp"

#include <future>
#include <mutex>
#include <stdexcept>
#include <system_error>
#include <vector>

using namespace contract;

namespace {

[[noreturn]] void throw_out_of_range(std::string text) { throw std::out_of_range(text); }
[[noreturn]] void throw_system_error() {
  throw std::system_error(std::make_error_code(std::errc::address_in_use), "bind");
}
bg::task<int> throw_from_coroutine() {
  co_await bg::sleep_for(1ms);
  throw std::invalid_argument("after a wait");
}
[[noreturn]] void throw_an_int() { throw 42; }

// Collects what the error hook is told.
struct reports {
  std::mutex mutex;
  std::vector<std::string> names;
  bg::hooks hooks() {
    bg::hooks hooks;
    hooks.on_error = [this](const bg::task_identity& task, std::exception_ptr) {
      const std::lock_guard lock(mutex);
      names.push_back(task.name);
    };
    return hooks;
  }
  std::size_t size() {
    const std::lock_guard lock(mutex);
    return names.size();
  }
};

}  // namespace

TEST_CASE_TEMPLATE("a standard exception comes back as its own type", Where, CONTRACT_ALL) {
  bg::runtime rt(two_workers());
  auto failing = rt.submit(Where::where(), throw_out_of_range, "index 9 of 3");
  CHECK_THROWS_WITH_AS(failing.get(), "index 9 of 3", std::out_of_range);
  auto coroutine = rt.submit(Where::where(), throw_from_coroutine);
  CHECK_THROWS_WITH_AS(coroutine.get(), "after a wait", std::invalid_argument);
}

TEST_CASE_TEMPLATE("a system_error keeps its code and category", Where, CONTRACT_EACH) {
  bg::runtime rt(two_workers());
  auto failing = rt.submit(Where::where(), throw_system_error);
  try {
    failing.get();
    FAIL("it should have thrown");
  } catch (const std::system_error& error) {
    CHECK(error.code() == std::errc::address_in_use);
  }
}

TEST_CASE_TEMPLATE("whatever is thrown, something comes back", Where, CONTRACT_EACH) {
  bg::runtime rt(two_workers());
  auto failing = rt.submit(Where::where(), throw_an_int);
  bool caught = false;
  try {
    failing.get();
  } catch (...) {
    caught = true;
  }
  CHECK(caught);
  CHECK(rt.submit(Where::where(), square, 3).get() == 9);
}

TEST_CASE_TEMPLATE("the failure of a posted task goes to the error hook", Where, CONTRACT_EACH) {
  reports told;
  bg::runtime_options options = two_workers();
  options.hooks = told.hooks();
  bg::runtime rt(std::move(options));
  rt.post({.on = Where::kind, .name = "posted"}, throw_out_of_range, "nobody asks");
  rt.post(Where::where(), square, 3);
  CHECK(rt.shutdown());
  REQUIRE(told.size() == 1);
  CHECK(told.names.front() == "posted");
}

TEST_CASE_TEMPLATE("the failure of a dropped future goes to the error hook once", Where,
                   CONTRACT_EACH) {
  reports told;
  bg::runtime_options options = two_workers();
  options.hooks = told.hooks();
  bg::runtime rt(std::move(options));
  {
    auto dropped_late = rt.submit({.on = Where::kind, .name = "late"}, throw_out_of_range, "x");
    dropped_late.wait();
    CHECK(told.size() == 0);
  }
  CHECK(told.size() == 1);
  static_cast<void>(rt.submit({.on = Where::kind, .name = "early"}, throw_out_of_range, "x"));
  auto asked = rt.submit(Where::where(), throw_out_of_range, "x");
  CHECK_THROWS_AS(asked.get(), std::out_of_range);
  CHECK(rt.shutdown());
  CHECK(told.size() == 2);
}

TEST_CASE_TEMPLATE("an error names its task and executor", Where, CONTRACT_EACH) {
  bg::runtime rt(one_worker());
  auto blocker = rt.submit(Where::where(), until_stopped);
  REQUIRE(await_started(blocker));
  auto queued = rt.submit({.on = Where::kind, .name = "thumbnail"}, square, 1);
  const std::uint64_t id = queued.id();
  CHECK(queued.cancel());
  try {
    queued.get();
    FAIL("it should have thrown");
  } catch (const bg::error& error) {
    CHECK(error.task_name() == "thumbnail");
    CHECK(error.task_id() == id);
    CHECK(error.executor() == Where::kind);
    CHECK(std::string(error.what()).find("thumbnail") != std::string::npos);
  }
  blocker.cancel();
  CHECK(blocker.get() == 7);
}

TEST_CASE_TEMPLATE("an idempotent task is retried, others are not", Where, CONTRACT_EACH) {
  bg::runtime rt(two_workers());
  auto refused = rt.submit({.on = Where::kind, .retries = 2}, square, 2);
  CHECK_THROWS_AS(refused.get(), std::invalid_argument);
  auto hopeless = rt.submit({.on = Where::kind, .retries = 2, .idempotent = true},
                            throw_out_of_range, "each time");
  CHECK_THROWS_AS(hopeless.get(), std::out_of_range);
  auto fine = rt.submit({.on = Where::kind, .retries = 2, .idempotent = true}, square, 5);
  CHECK(fine.get() == 25);
}
