#include <brigade/base/error.hpp>

#include <exception>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

#include <doctest/doctest.h>

using brigade::executor_kind;

namespace {

const brigade::task_identity resize{"resize", 7, executor_kind::processes};

// Whether a thrown `thrown` is caught as Caught, with its text.
template <class Caught, class Thrown>
bool caught_as(const Thrown& thrown) {
  try {
    throw thrown;
  } catch (const Caught& e) {
    return std::string(e.what()) == "text";
  } catch (...) {
    return false;
  }
}

template <class Member, class Standard = std::runtime_error>
void expect_family(const Member& member) {
  CHECK(caught_as<Member>(member));
  CHECK(caught_as<Standard>(member));
  CHECK(caught_as<std::exception>(member));
  CHECK(caught_as<brigade::error>(member));
  CHECK(member.task_name() == "resize");
  CHECK(member.task_id() == 7);
  CHECK(member.executor() == executor_kind::processes);
  static_assert(std::is_nothrow_copy_constructible_v<Member>);
}

brigade::remote_exception<std::out_of_range> remote() {
  return {std::out_of_range("base"), "text", resize, "my::range",
          std::make_exception_ptr(std::runtime_error("inner"))};
}

}  // namespace

TEST_CASE("a task is described by what is known of it") {
  CHECK(brigade::describe({}) == "a task");
  CHECK(brigade::describe({"resize", 0, {}}) == "task 'resize'");
  CHECK(brigade::describe({"", 7, {}}) == "task 7");
  CHECK(brigade::describe({"", 7, executor_kind::loop}) == "task 7 on loop");
  CHECK(brigade::describe(resize) == "task 'resize' (7) on processes");
}

TEST_CASE("each of the family is a standard exception and a brigade::error") {
  expect_family(brigade::task_cancelled("text", resize));
  expect_family(brigade::task_timeout("text", resize));
  expect_family(brigade::queue_full("text", resize));
  expect_family(brigade::runtime_stopped("text", resize));
  expect_family<brigade::would_deadlock, std::logic_error>({"text", resize});
  expect_family<brigade::not_transportable, std::logic_error>({"text", resize});
  expect_family(brigade::codec_error("text", resize));
  expect_family(brigade::worker_start_failed("text", resize));
  expect_family(brigade::initializer_failed("text", resize));
  expect_family(brigade::build_mismatch("text", resize));
  expect_family(brigade::worker_lost("text", resize, {}));
}

TEST_CASE("worker_lost says how the worker died") {
  const brigade::worker_lost lost("text", resize, {42, 3, {}, true});
  CHECK(lost.pid() == 42);
  CHECK(lost.exit_code() == 3);
  CHECK(lost.signal() == std::nullopt);
  CHECK(lost.started());
}

TEST_CASE("a remote exception is caught as either of its sides and as std::exception") {
  CHECK(caught_as<std::out_of_range>(remote()));
  CHECK(caught_as<std::logic_error>(remote()));
  CHECK(caught_as<std::exception>(remote()));
  CHECK(caught_as<brigade::remote_error>(remote()));
  CHECK(caught_as<brigade::error>(remote()));
  CHECK(remote().type() == "my::range");
  CHECK(remote().task_name() == "resize");
  CHECK_THROWS_WITH_AS(std::rethrow_exception(remote().nested()), "inner", std::runtime_error);
}
