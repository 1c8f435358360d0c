// Exceptions and error categories of the user's own, made known by registration.
#include <exception>
#include <stdexcept>
#include <string>
#include <system_error>
#include <typeinfo>

#include <doctest/doctest.h>

#include <brigade/codec/exception.hpp>

#include "exception_support.hpp"

using namespace exception_test;

namespace {

class named_category : public std::error_category {
 public:
  const char* name() const noexcept override { return "named"; }
  std::string message(int) const override { return "message"; }
};
const named_category named;

struct parse_failure : std::runtime_error {
  parse_failure(const std::string& text, int line_in) : std::runtime_error(text), line(line_in) {}
  int line;
};

struct text_failure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct bare_failure : std::exception {
  const char* what() const noexcept override { return "bare"; }
};

struct failing_coder : std::logic_error {
  using std::logic_error::logic_error;
};

struct plain_thing {
  int a = 0;
  std::string b;
};

}  // namespace

template <>
struct brigade::codec::coder<parse_failure> {
  static void write(writer& out, const parse_failure& e) {
    out.put_text(e.what());
    write_value(out, e.line);
  }
  static parse_failure read(reader& in) {
    const std::string text = in.get_text("a parse_failure");
    return parse_failure(text, read_value<int>(in));
  }
};

template <>
struct brigade::codec::coder<failing_coder> {
  static void write(writer& out, const failing_coder&) {
    out.put_text("half of it");
    out.fail("it never can");
  }
  static failing_coder read(reader&) { return failing_coder(""); }
};

TEST_CASE("a registered category comes back") {
  brigade::register_error_category(named);
  brigade::register_error_category(named);
  expect_caught<std::system_error>(
      std::system_error(std::error_code(5, named), "x"),
      [](const std::system_error& e) { CHECK(e.code() == std::error_code(5, named)); });
}

TEST_CASE("a registered exception with a coder comes back exactly") {
  brigade::register_exception<parse_failure>("parse_failure");
  brigade::register_exception<parse_failure>("parse_failure");
  expect_caught<parse_failure>(parse_failure("bad", 12), [](const parse_failure& e) {
    CHECK(typeid(e) == typeid(parse_failure));
    CHECK(e.line == 12);
    CHECK(std::string(e.what()) == "bad");
  });
}

TEST_CASE("a registered exception with something nested comes back with it") {
  brigade::register_exception<parse_failure>("parse_failure");
  try {
    try {
      throw std::length_error("inner");
    } catch (...) {
      std::throw_with_nested(parse_failure("outer", 3));
    }
  } catch (...) {
    try {
      std::rethrow_exception(travel(std::current_exception()));
    } catch (const parse_failure& e) {
      CHECK(e.line == 3);
      CHECK_THROWS_WITH_AS(std::rethrow_if_nested(e), "inner", std::length_error);
    }
  }
}

TEST_CASE("a registered exception may be made from its text or from nothing") {
  brigade::register_exception<text_failure>("text_failure");
  brigade::register_exception<bare_failure>("bare_failure");
  brigade::register_exception<plain_thing>("plain_thing");
  expect_caught<text_failure>(text_failure("why"),
                              [](const auto& e) { CHECK(std::string(e.what()) == "why"); });
  expect_caught<bare_failure>(bare_failure(), [](const auto&) {});
  expect_caught<plain_thing>(plain_thing{4, "b"}, [](const auto& e) { CHECK(e.b == "b"); });
}

TEST_CASE("a name stands for one exception") {
  brigade::register_exception<text_failure>("text_failure");
  CHECK_THROWS_AS(brigade::register_exception<bare_failure>("text_failure"), std::invalid_argument);
}

TEST_CASE("an exception whose own coder fails is told as a remote_error") {
  brigade::register_exception<failing_coder>("failing_coder");
  expect_caught<remote_exception<std::logic_error>>(
      failing_coder("why"),
      [](const auto& e) { CHECK(e.what() == from_afar("why", e.type())); });
}
