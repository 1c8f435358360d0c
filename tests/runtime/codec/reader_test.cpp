#include <brigade/codec/reader.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <brigade/base/error.hpp>

using brigade::codec_error;
using brigade::codec::reader;

namespace {

template <class... Bytes>
std::array<std::byte, sizeof...(Bytes)> input(Bytes... bytes) {
  return {static_cast<std::byte>(bytes)...};
}

template <class F>
std::string message_of(F f) {
  try {
    f();
  } catch (const codec_error& e) {
    return e.what();
  }
  return "";
}

bool contains(const std::string& text, const char* part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("nothing is read beyond the end, and the error says what and where") {
  const auto bytes = input(1, 2, 3);
  reader in(bytes);
  CHECK(in.get<std::uint8_t>("a byte") == 1);
  const std::string text = message_of([&] { (void)in.get<std::uint32_t>("a number"); });
  CHECK(contains(text, "a number at offset 1"));
  CHECK(contains(text, "it takes 4 bytes and 2 remain"));
  CHECK(contains(text, "decode it as the type that was encoded"));
  CHECK(in.remaining() == 2);
}

TEST_CASE("an empty input has nothing to read and nothing left over") {
  reader in(std::span<const std::byte>{});
  in.expect_end();
  in.get_raw(nullptr, 0, "nothing");
  CHECK_THROWS_AS((void)in.get_size("a size"), codec_error);
}

TEST_CASE("a size with more bits than a size is refused") {
  const auto longest = input(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01);
  CHECK(reader(longest).get_size("a size") == ~std::size_t{0});
  const auto over = input(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02);
  CHECK_THROWS_AS((void)reader(over).get_size("a size"), codec_error);
  const auto endless = input(0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80);
  CHECK_THROWS_AS((void)reader(endless).get_size("a size"), codec_error);
}

TEST_CASE("a length is refused when the elements cannot be there") {
  const auto bytes = input(3, 0, 0, 0);
  CHECK(reader(bytes).get_length(1, "a list") == 3);
  CHECK(contains(message_of([&] { (void)reader(bytes).get_length(2, "a list"); }),
                 "a list at offset 0: it claims 3 elements and 3 bytes remain"));
}

TEST_CASE("the budget is what was given, and errors name the cure") {
  const auto bytes = input(0);
  reader in(bytes, {.decoded_bytes = 100, .depth = 8});
  in.charge(10, 8, "a list");
  in.charge(1'000, 0, "nothing");
  CHECK(contains(message_of([&] { in.charge(3, 8, "a list"); }), "raise limits::decoded_bytes"));
  CHECK_THROWS_AS(in.charge(~std::size_t{0}, 8, "a list"), codec_error);
  in.charge(20, 1, "a list");
  CHECK_THROWS_AS(in.charge(1, 1, "a list"), codec_error);
}

TEST_CASE("by default an input may decode to 64 MiB, or to 64 times its size") {
  const auto bytes = input(0);
  reader small(bytes);
  small.charge(std::size_t{64} << 20, 1, "a list");
  CHECK_THROWS_AS(small.charge(1, 1, "a list"), codec_error);
  const std::vector<std::byte> more(std::size_t{2} << 20);
  reader large(more);
  large.charge(std::size_t{128} << 20, 1, "a list");
  CHECK_THROWS_AS(large.charge(1, 1, "a list"), codec_error);
}

TEST_CASE("what is left over is named") {
  const auto bytes = input(1, 2);
  reader in(bytes);
  CHECK(contains(message_of([&] { in.expect_end(); }), "2 bytes are left over"));
}

TEST_CASE("levels are counted and given back") {
  const auto bytes = input(0);
  reader in(bytes, {.decoded_bytes = {}, .depth = 1});
  for (int i = 0; i < 2; ++i) {
    const reader::level only(in, "a list");
    CHECK(contains(message_of([&] { const reader::level more(in, "a list"); }), "limits::depth"));
  }
}
