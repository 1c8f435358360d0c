#define DOCTEST_CONFIG_IMPLEMENT
#define DOCTEST_CONFIG_NO_POSIX_SIGNALS  // the minder names the case that crashed
#include "support/checks.hpp"

#include <cstdio>
#include <thread>

#include <doctest/doctest.h>

#include "support/minder.hpp"
#include "support/surroundings.hpp"

namespace brigade::testing {
namespace {

int cases_with_leftovers = 0;

// What is left when everything that was ending has ended.
std::vector<std::string> settled_leftovers(const surroundings& before) {
  const auto limit = std::chrono::steady_clock::now() + grace();
  for (;;) {
    auto lines = leftovers(before, surroundings::now());
    if (lines.empty() || std::chrono::steady_clock::now() > limit) return lines;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

struct checks : doctest::IReporter {
  explicit checks(const doctest::ContextOptions&) {}

  void test_case_start(const doctest::TestCaseData& test) override {
    name_ = test.m_name;
    before_ = surroundings::now();
    case_started(name_);
  }

  void test_case_end(const doctest::CurrentTestCaseStats&) override {
    const auto lines = settled_leftovers(before_);
    case_ended();
    if (lines.empty()) return;
    ++cases_with_leftovers;
    for (const auto& line : lines) {
      std::fprintf(stderr, "[check] '%s': %s\n", name_.c_str(), line.c_str());
    }
  }

  void report_query(const doctest::QueryData&) override {}
  void test_run_start() override {}
  void test_run_end(const doctest::TestRunStats&) override {}
  void test_case_reenter(const doctest::TestCaseData&) override {}
  void test_case_exception(const doctest::TestCaseException&) override {}
  void subcase_start(const doctest::SubcaseSignature&) override {}
  void subcase_end() override {}
  void log_assert(const doctest::AssertData&) override {}
  void log_message(const doctest::MessageData&) override {}
  void test_case_skipped(const doctest::TestCaseData&) override {}

 private:
  std::string name_;
  surroundings before_;
};

REGISTER_LISTENER("checks", 1, checks);

}  // namespace

int run(int argc, char** argv) {
  doctest::Context context(argc, argv);
  context.setOption("no-intro", true);
  const int result = context.run();
  if (cases_with_leftovers == 0) return result;
  std::fprintf(stderr, "[check] %d cases left something behind\n", cases_with_leftovers);
  return result != 0 ? result : 1;
}

}  // namespace brigade::testing
