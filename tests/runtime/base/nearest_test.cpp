#include <brigade/base/nearest.hpp>

#include <array>
#include <span>
#include <string_view>

#include <doctest/doctest.h>

namespace {

constexpr std::array<std::string_view, 4> words{"loop", "threads", "processes", "tr"};

}  // namespace

TEST_CASE("the nearest word is found, with letters missing, added, changed or swapped") {
  CHECK(brigade::nearest("loop", words) == "loop");
  CHECK(brigade::nearest("lop", words) == "loop");
  CHECK(brigade::nearest("looop", words) == "loop");
  CHECK(brigade::nearest("thraeds", words) == "threads");
  CHECK(brigade::nearest("prozesses", words) == "processes");
}

TEST_CASE("capital letters are no mistake, and dashes in front make nothing near") {
  CHECK(brigade::nearest("LOOP", words) == "loop");
  CHECK(brigade::nearest("Thraeds", words) == "threads");
  const std::array<std::string_view, 2> options{"--color", "--format"};
  CHECK(brigade::nearest("--foo", options).empty());
  CHECK(brigade::nearest("--colour", options) == "--color");
}

TEST_CASE("swapped neighbours are one mistake, not two") {
  CHECK(brigade::nearest("rt", words) == "tr");
}

TEST_CASE("no word is near when more than half differs") {
  CHECK(brigade::nearest("automatic", words).empty());
  CHECK(brigade::nearest("", words).empty());
  CHECK(brigade::nearest("loop", std::span<const std::string_view>{}).empty());
}

TEST_CASE("the sentence names the word, the allowed ones and the nearest") {
  CHECK(brigade::not_one_of("lop", words) ==
        "'lop' is not one of loop, threads, processes, tr. Did you mean 'loop'?");
  CHECK(brigade::not_one_of("x", words) == "'x' is not one of loop, threads, processes, tr.");
}
