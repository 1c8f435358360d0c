// A deterministic fuzz of all decoders: valid messages, damaged in small ways, for about a second.
// The long runs are libFuzzer's, see tests/fuzz/codec_fuzz.cpp.
#include <fuzz/codec_everything.hpp>

#include <malloc.h>
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <new>
#include <random>
#include <stdexcept>

#include <doctest/doctest.h>

namespace codec = brigade::codec;

namespace {

// What is allocated and how much it was at most. Relaxed: one thread counts, others may allocate.
std::atomic<std::size_t> in_use{0};
std::atomic<std::size_t> most_in_use{0};

void* counted(std::size_t size) {
  void* const memory = std::malloc(size == 0 ? 1 : size);
  if (memory == nullptr) throw std::bad_alloc();
  const std::size_t now = in_use.fetch_add(malloc_usable_size(memory), std::memory_order_relaxed) +
                          malloc_usable_size(memory);
  if (now > most_in_use.load(std::memory_order_relaxed)) {
    most_in_use.store(now, std::memory_order_relaxed);
  }
  return memory;
}

void release(void* memory) noexcept {
  in_use.fetch_sub(malloc_usable_size(memory), std::memory_order_relaxed);
  std::free(memory);
}

}  // namespace

void* operator new(std::size_t size) { return counted(size); }
void operator delete(void* memory) noexcept { release(memory); }
void operator delete(void* memory, std::size_t) noexcept { release(memory); }

namespace {

fuzz::everything sample() {
  fuzz::everything value;
  value.text = "text";
  value.text16 = u"text";
  value.names[1][1] = "name";
  value.points = {{1, 2, 3}, {4, 5, 6}};
  value.bits = {true, false, true};
  value.nothings.resize(5);
  value.words = {"one", "", "three"};
  value.deque = {{1, "a"}, {2, "b"}};
  value.list = {std::nullopt, std::array<char, 1000>{}};
  value.forward = {{true, 'c', u8"d"}};
  value.set = {"x", "y"};
  value.multimap = {{1, {2, 3}}, {1, {}}};
  value.variants = {{"a", 1}, {"b", "text"}, {"c", fuzz::point{}}, {"d", std::monostate{}}};
  value.numbers = {1, 1, 2};
  value.arrays[2] = {1, 2, 3};
  value.path = "/a/b";
  value.code = std::make_error_code(std::errc::io_error);
  value.forest = {1, {{2, {}, {}}, {3, {{4, {}, {}}}, {}}}, {{"n", {}}}};
  return value;
}

std::vector<std::vector<std::byte>> samples() {
  std::vector<std::vector<std::byte>> all;
  const auto add = [&all](std::size_t choice, std::vector<std::byte> bytes) {
    bytes.insert(bytes.begin(), static_cast<std::byte>(choice));
    all.push_back(std::move(bytes));
  };
  add(0, codec::to_bytes(sample()));
  add(1, codec::to_bytes(std::vector<fuzz::everything>(2)));
  add(2, codec::to_bytes(sample().forest));
  add(5, codec::to_bytes(std::vector<std::vector<std::vector<char>>>{{{'a'}, {}}, {{'b'}}}));
  add(7, codec::to_bytes(std::unordered_map<int, std::string>{{1, "a"}, {2, "b"}}));
  add(10, codec::to_bytes(std::vector<std::deque<fuzz::nothing>>(3)));
  codec::writer out;
  try {
    try {
      throw std::system_error(std::make_error_code(std::errc::io_error), "inner");
    } catch (...) {
      std::throw_with_nested(brigade::worker_lost("text", {"name", 1, {}}, {1, 2, {}, true}));
    }
  } catch (...) {
    codec::encode_exception(out, std::current_exception());
  }
  add(std::tuple_size_v<fuzz::types>, out.take());
  return all;
}

void damage(std::vector<std::byte>& bytes, std::mt19937_64& random) {
  const auto below = [&random](std::size_t n) { return static_cast<std::size_t>(random() % n); };
  for (std::size_t times = 1 + below(3); times-- != 0 && bytes.size() > 1;) {
    const auto at = bytes.begin() + static_cast<std::ptrdiff_t>(1 + below(bytes.size() - 1));
    switch (below(5)) {
      case 0:
        *at ^= static_cast<std::byte>(1U << below(8));
        break;
      case 1:
        *at = static_cast<std::byte>(random());
        break;
      case 2:
        *at = std::byte{0xff};
        break;
      case 3:
        bytes.erase(at, at + static_cast<std::ptrdiff_t>(
                                 1 + below(static_cast<std::size_t>(bytes.end() - at))));
        break;
      default:
        bytes.insert(at, below(9), static_cast<std::byte>(random()));
        break;
    }
  }
}

}  // namespace

TEST_CASE("whatever the bytes are, decoding ends, within its budget") {
  const auto valid = samples();
  std::mt19937_64 random(20260101);
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(1);
  std::size_t worst = 0;
  for (int round = 0; round < 200'000 && std::chrono::steady_clock::now() < end; ++round) {
    auto bytes = valid[random() % valid.size()];
    damage(bytes, random);
    const std::size_t before = in_use.load(std::memory_order_relaxed);
    most_in_use.store(before, std::memory_order_relaxed);
    fuzz::decode_everything(bytes);
    worst = std::max(worst, most_in_use.load(std::memory_order_relaxed) - before);
  }
  // Twice: a value that was accepted is encoded and decoded again.
  CHECK(worst < 3 * fuzz::decoded_bytes);
}

TEST_CASE("bytes that are only noise are refused or decoded, too") {
  std::mt19937_64 random(7);
  for (int round = 0; round < 5'000; ++round) {
    std::vector<std::byte> bytes(random() % 200);
    for (auto& byte : bytes)
      byte = static_cast<std::byte>(random());
    fuzz::decode_everything(bytes);
  }
  CHECK(true);
}

TEST_CASE("a short input cannot claim much memory, even with the default limits") {
  const std::size_t before = in_use.load(std::memory_order_relaxed);
  most_in_use.store(before, std::memory_order_relaxed);
  std::vector<std::byte> bytes(std::size_t{256} << 10, std::byte{0});
  codec::writer out;
  out.put_size(bytes.size() - 3);
  std::copy(out.bytes().begin(), out.bytes().end(), bytes.begin());
  using amplified = std::vector<std::optional<std::array<char, 4096>>>;
  CHECK_THROWS_AS((void)codec::from_bytes<amplified>(bytes), brigade::codec_error);
  CHECK(most_in_use.load(std::memory_order_relaxed) - before < (std::size_t{65} << 20));
}
