#include <brigade/codec/exception.hpp>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <future>
#include <ios>
#include <new>
#include <regex>
#include <span>
#include <stdexcept>
#include <string>
#include <system_error>
#include <typeinfo>
#include <vector>

#include <doctest/doctest.h>

#include "exception_support.hpp"

using namespace exception_test;

namespace {

// What f throws, sent and caught again as exactly T.
template <class T, class F>
void expect_exactly(F f) {
  std::exception_ptr original;
  std::string text;
  try {
    f();
  } catch (const std::exception& e) {
    original = std::current_exception();
    text = e.what();
  }
  REQUIRE(original != nullptr);
  try {
    std::rethrow_exception(travel(original));
  } catch (const std::exception& e) {
    CHECK(typeid(e) == typeid(T));
    CHECK(std::string(e.what()) == text);
  }
}

template <class T, class... Args>
void expect_itself(Args... args) {
  expect_exactly<T>([&] { throw T(args...); });
}

class own_range : public std::out_of_range {
 public:
  using std::out_of_range::out_of_range;
};

class silent : public std::exception {
 public:
  const char* what() const noexcept override { return nullptr; }
};

class odd_category : public std::error_category {
 public:
  const char* name() const noexcept override { return "odd"; }
  std::string message(int) const override { return "odd message"; }
  std::error_condition default_error_condition(int value) const noexcept override {
    if (value == 1) return std::errc::connection_refused;
    return {value, *this};
  }
};
const odd_category odd;

struct plain_thing {
  int a = 0;
  std::string b;
};

template <class Member>
void expect_family_member() {
  expect_caught<Member>(Member("text", {"own", 3, executor_kind::loop}), [](const Member& e) {
    CHECK(typeid(e) == typeid(Member));
    CHECK(std::string(e.what()) == "text");
    CHECK(e.task_name() == "own");
    CHECK(e.task_id() == 3);
    CHECK(e.executor() == executor_kind::loop);
  });
}

int levels_of(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const std::exception& e) {
    try {
      std::rethrow_if_nested(e);
    } catch (...) {
      return 1 + levels_of(std::current_exception());
    }
  }
  return 1;
}

std::exception_ptr nested_chain(int levels) {
  try {
    if (levels > 1) {
      try {
        std::rethrow_exception(nested_chain(levels - 1));
      } catch (...) {
        std::throw_with_nested(std::runtime_error("level " + std::to_string(levels)));
      }
    }
    throw std::runtime_error("level 1");
  } catch (...) {
    return std::current_exception();
  }
}

}  // namespace

TEST_CASE("every exception of the standard library comes back as itself") {
  expect_itself<std::logic_error>("text");
  expect_itself<std::domain_error>("text");
  expect_itself<std::invalid_argument>("text");
  expect_itself<std::length_error>("text");
  expect_itself<std::out_of_range>("text");
  expect_itself<std::runtime_error>("text");
  expect_itself<std::range_error>("text");
  expect_itself<std::overflow_error>("text");
  expect_itself<std::underflow_error>("text");
  expect_itself<std::exception>();
  expect_itself<std::bad_alloc>();
  expect_itself<std::bad_array_new_length>();
  expect_itself<std::bad_cast>();
  expect_itself<std::bad_typeid>();
  expect_itself<std::bad_exception>();
  expect_itself<std::bad_weak_ptr>();
  expect_itself<std::bad_function_call>();
  expect_itself<std::bad_optional_access>();
  expect_itself<std::bad_variant_access>();
  expect_itself<std::regex_error>(std::regex_constants::error_paren);
  expect_itself<std::future_error>(std::future_errc::broken_promise);
}

TEST_CASE("what the library itself throws comes back as what one catches it by") {
  expect_exactly<std::out_of_range>([] { (void)std::vector<int>{}.at(3); });
  expect_exactly<std::invalid_argument>([] { (void)std::stoi("none"); });
  expect_exactly<std::filesystem::filesystem_error>(
      [] { std::filesystem::create_directory("/proc/none/such"); });
  expect_exactly<std::filesystem::filesystem_error>(
      [] { std::filesystem::rename("/proc/none", "/proc/other"); });
  expect_exactly<std::ios_base::failure>([] {
    std::ifstream file;
    file.exceptions(std::ios::failbit);
    file.open("/none/such");
  });
}

TEST_CASE("a system_error keeps code, category and text") {
  const std::error_code code(ENOENT, std::system_category());
  expect_itself<std::system_error>(code);
  expect_itself<std::system_error>(code, "opening x");
  expect_itself<std::system_error>(std::make_error_code(std::errc::timed_out), "waiting");
  expect_caught<std::system_error>(std::system_error(code, "opening x"), [&](const auto& e) {
    CHECK(e.code() == code);
    CHECK(e.code().category() == std::system_category());
  });
}

TEST_CASE("a filesystem_error keeps its paths") {
  const std::filesystem::filesystem_error thrown("copy", "a", "b",
                                                 std::make_error_code(std::errc::io_error));
  expect_caught<std::filesystem::filesystem_error>(thrown, [](const auto& e) {
    CHECK(e.path1() == "a");
    CHECK(e.path2() == "b");
    CHECK(e.code() == std::errc::io_error);
  });
}

TEST_CASE("a code of an unknown category becomes the nearest generic one, its text stays") {
  const std::system_error near(std::error_code(1, odd), "connect");
  expect_caught<std::system_error>(near, [](const std::system_error& e) {
    CHECK(typeid(e) == typeid(std::system_error));
    CHECK(e.code() == std::make_error_code(std::errc::connection_refused));
    CHECK(std::string(e.what()) == "connect: odd message");
  });
  const std::system_error far(std::error_code(2, odd), "connect");
  expect_caught<std::system_error>(far, [](const std::system_error& e) {
    CHECK(e.code() == std::make_error_code(std::errc::io_error));
    CHECK(std::string(e.what()) == "connect: odd message");
  });
}

TEST_CASE("brigade's own errors come back as themselves, with their task") {
  expect_family_member<brigade::task_cancelled>();
  expect_family_member<brigade::task_timeout>();
  expect_family_member<brigade::queue_full>();
  expect_family_member<brigade::runtime_stopped>();
  expect_family_member<brigade::would_deadlock>();
  expect_family_member<brigade::not_transportable>();
  expect_family_member<brigade::codec_error>();
  expect_family_member<brigade::worker_start_failed>();
  expect_family_member<brigade::initializer_failed>();
  expect_family_member<brigade::build_mismatch>();
}

TEST_CASE("an error of the family without a task gets the task it is delivered for") {
  expect_caught<brigade::codec_error>(brigade::codec_error("x"),
                                      [](const auto& e) { CHECK(e.task_name() == "resize"); });
}

TEST_CASE("worker_lost keeps how the worker died") {
  const brigade::worker_lost lost("died", {"a", 2, {}}, {42, {}, 9, true});
  expect_caught<brigade::worker_lost>(lost, [](const brigade::worker_lost& e) {
    CHECK(e.pid() == 42);
    CHECK(e.exit_code() == std::nullopt);
    CHECK(e.signal() == 9);
    CHECK(e.started());
    CHECK(e.task_id() == 2);
    CHECK(e.executor() == std::nullopt);
  });
}

TEST_CASE("an unregistered exception is its nearest standard base and a remote_error") {
  const own_range thrown("too far");
  expect_caught<std::out_of_range>(thrown, [](const auto& e) {
    CHECK(e.what() == from_afar("too far", "(anonymous namespace)::own_range"));
  });
  expect_caught<std::exception>(thrown, [](const auto& e) {
    CHECK(e.what() == from_afar("too far", "(anonymous namespace)::own_range"));
  });
  expect_caught<brigade::error>(thrown, [](const auto& e) {
    CHECK(e.what() == from_afar("too far", "(anonymous namespace)::own_range"));
    CHECK(e.task_name() == "resize");
    CHECK(e.executor() == executor_kind::processes);
  });
  expect_caught<remote_error>(thrown, [](const auto& e) {
    CHECK(e.type().find("own_range") != std::string::npos);
    CHECK(e.nested() == nullptr);
    CHECK(e.task_id() == 7);
  });
  expect_caught<remote_exception<std::out_of_range>>(thrown, [](const auto&) {});
}

TEST_CASE("a remote_error that is forwarded stays what it was") {
  const auto once = travel(std::make_exception_ptr(own_range("too far")));
  try {
    std::rethrow_exception(travel(once, {"outer", 9, executor_kind::loop}));
  } catch (const remote_exception<std::out_of_range>& e) {
    CHECK(e.type().find("own_range") != std::string::npos);
    CHECK(e.what() == from_afar("too far", "(anonymous namespace)::own_range"));
    CHECK(e.task_name() == "resize");
  }
}

TEST_CASE("what is no std::exception arrives with its type") {
  expect_caught<remote_exception<std::exception>>(42, [](const auto& e) {
    CHECK(e.type() == "int");
    CHECK(e.what() == from_afar("int 42", "int"));
  });
  expect_caught<remote_error>(static_cast<const char*>("why"), [](const auto& e) {
    CHECK(e.type() == "char const*");
    CHECK(e.what() == from_afar("why", "char const*"));
  });
  expect_caught<remote_error>(std::string("why"), [](const auto& e) {
    CHECK(e.type() == "std::string");
    CHECK(e.what() == from_afar("why", "std::string"));
  });
  expect_caught<remote_error>(plain_thing{}, [](const auto& e) {
    CHECK(e.type().find("plain_thing") != std::string::npos);
    CHECK(std::string(e.what()).find("plain_thing") != std::string::npos);
  });
}

TEST_CASE("an exception whose what() is null arrives with no text of its own") {
  expect_caught<remote_exception<std::exception>>(silent(), [](const auto& e) {
    CHECK(e.what() == from_afar("", "(anonymous namespace)::silent"));
  });
}

TEST_CASE("what was thrown with something nested comes back with it") {
  CHECK(levels_of(travel(nested_chain(3))) == 3);
  try {
    std::rethrow_exception(travel(nested_chain(2)));
  } catch (const std::runtime_error& e) {
    CHECK(std::string(e.what()) == "level 2");
    CHECK_THROWS_WITH_AS(std::rethrow_if_nested(e), "level 1", std::runtime_error);
  }
}

TEST_CASE("a remote_error holds what was nested, both ways") {
  std::exception_ptr thrown;
  try {
    try {
      throw std::length_error("inner");
    } catch (...) {
      std::throw_with_nested(own_range("outer"));
    }
  } catch (...) {
    thrown = std::current_exception();
  }
  const auto once = travel(thrown);
  for (const auto& back : {once, travel(once)}) {
    try {
      std::rethrow_exception(back);
    } catch (const remote_exception<std::out_of_range>& e) {
      CHECK(e.type().ends_with("own_range"));
      CHECK_THROWS_WITH_AS(std::rethrow_exception(e.nested()), "inner", std::length_error);
      CHECK_THROWS_WITH_AS(std::rethrow_if_nested(e), "inner", std::length_error);
    }
  }
}

TEST_CASE("a chain that is too long is cut") { CHECK(levels_of(travel(nested_chain(40))) == 17); }

TEST_CASE("no exception at all cannot be encoded") {
  codec::writer out;
  CHECK_THROWS_AS(codec::encode_exception(out, nullptr), brigade::codec_error);
}

TEST_CASE("every cut of an exception is refused with codec_error") {
  codec::writer out;
  codec::encode_exception(out, nested_chain(2));
  const auto bytes = out.take();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    codec::reader in{std::span(bytes).first(size)};
    CHECK_THROWS_AS((void)codec::decode_exception(in, {}), brigade::codec_error);
  }
}
