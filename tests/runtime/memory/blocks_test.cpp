#include <brigade/memory/blocks.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <random>
#include <thread>
#include <utility>
#include <vector>

using namespace brigade::detail;

namespace {

struct held {
  void* block;
  std::size_t bytes;
  unsigned char mark;
};

held fill(std::size_t bytes, unsigned char mark) {
  void* const block = take_block(bytes);
  std::memset(block, mark, bytes);
  return {block, bytes, mark};
}

bool intact(const held& each) {
  const auto* const from = static_cast<const unsigned char*>(each.block);
  return std::all_of(from, from + each.bytes, [&](unsigned char byte) { return byte == each.mark; });
}

struct alignas(128) broad : in_blocks {
  char bytes[128];
};

}  // namespace

TEST_CASE("blocks of every size are whole, apart and aligned") {
  std::vector<held> all;
  for (std::size_t bytes = 1; bytes <= 1200; ++bytes) {
    all.push_back(fill(bytes, static_cast<unsigned char>(bytes)));
    CHECK(reinterpret_cast<std::uintptr_t>(all.back().block) % __STDCPP_DEFAULT_NEW_ALIGNMENT__ ==
          0);
  }
  for (const held& each : all) CHECK(intact(each));
  for (const held& each : all) give_block(each.block, each.bytes);
}

TEST_CASE("blocks that one thread takes and another gives back stay whole") {
  constexpr int rounds = 20;
  std::vector<held> passed;
  for (int round = 0; round < rounds; ++round) {
    std::thread taker([&] {
      std::mt19937 random(static_cast<unsigned>(round));
      for (int each = 0; each < 500; ++each) {
        passed.push_back(fill(1 + random() % 600, static_cast<unsigned char>(each)));
      }
    });
    taker.join();
    std::thread giver([&] {
      for (const held& each : passed) CHECK(intact(each));
      for (const held& each : passed) give_block(each.block, each.bytes);
      passed.clear();
    });
    giver.join();
  }
}

TEST_CASE("threads that trade blocks all the time never share one") {
  std::vector<std::thread> threads;
  for (unsigned seed = 0; seed < 4; ++seed) {
    threads.emplace_back([seed] {
      std::mt19937 random(seed);
      std::vector<held> mine;
      for (int step = 0; step < 20000; ++step) {
        if (mine.size() < 100 || random() % 2 == 0) {
          mine.push_back(fill(1 + random() % 300, static_cast<unsigned char>(seed + 1)));
        } else {
          std::swap(mine[random() % mine.size()], mine.back());
          REQUIRE(intact(mine.back()));
          give_block(mine.back().block, mine.back().bytes);
          mine.pop_back();
        }
      }
      for (const held& each : mine) give_block(each.block, each.bytes);
    });
  }
  for (std::thread& each : threads) each.join();
}

TEST_CASE("a class that wants more alignment gets it") {
  const auto made = std::make_unique<broad>();
  CHECK(reinterpret_cast<std::uintptr_t>(made.get()) % 128 == 0);
}
