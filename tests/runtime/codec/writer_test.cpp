#include <brigade/codec/writer.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <brigade/base/error.hpp>
#include <brigade/codec/reader.hpp>

using brigade::codec::reader;
using brigade::codec::writer;
using brigade::codec::writer_memory;

namespace {

// Gives so many times what is asked for, always elsewhere, and keeps books.
class counting_memory : public writer_memory {
 public:
  explicit counting_memory(std::size_t generosity = 1) : generosity_(generosity) {}

  std::span<std::byte> grow(std::span<const std::byte> used, std::size_t wanted) override {
    ++grown;
    copied += used.size();
    std::vector<std::byte> larger(used.begin(), used.end());
    larger.resize(generosity_ * wanted);
    bytes_ = std::move(larger);
    return bytes_;
  }

  std::size_t grown = 0;
  std::size_t copied = 0;

 private:
  std::size_t generosity_;
  std::vector<std::byte> bytes_;
};

}  // namespace

TEST_CASE("what was put is what is taken") {
  writer out;
  out.put(std::uint32_t{0x01020304});
  out.put_raw("ab", 2);
  out.put_raw(nullptr, 0);
  CHECK(out.size() == 6);
  const auto bytes = out.take();
  reader in(bytes);
  CHECK(in.get<std::uint32_t>("a number") == 0x01020304);
  CHECK(static_cast<char>(in.take(2, "text")[1]) == 'b');
  in.expect_end();
}

TEST_CASE("taking leaves an empty writer that can be used again") {
  writer out;
  out.put(1);
  CHECK(out.take().size() == sizeof(int));
  CHECK(out.size() == 0);
  CHECK(out.take().empty());
  out.put('a');
  CHECK(out.take().size() == 1);
}

TEST_CASE("small and large pieces may follow each other") {
  writer out;
  std::string expected;
  for (const std::size_t size : {1, 300, 70'000, 5, 200'000, 0, 65'536, 2}) {
    const std::string piece(size, static_cast<char>('a' + expected.size() % 20));
    out.put_raw(piece.data(), piece.size());
    expected += piece;
  }
  const auto bytes = out.take();
  CHECK(std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()) == expected);
}

TEST_CASE("small and large pieces may follow each other in memory of somebody else's") {
  counting_memory memory;
  writer out(memory);
  std::string expected;
  for (const std::size_t size : {1, 300, 70'000, 5, 200'000, 0, 65'536, 2}) {
    const std::string piece(size, static_cast<char>('a' + expected.size() % 20));
    out.put_raw(piece.data(), piece.size());
    expected += piece;
  }
  const auto bytes = out.bytes();
  CHECK(std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()) == expected);
}

TEST_CASE("what was written is not copied again for each large piece that follows") {
  for (const std::size_t piece : {std::size_t{1000}, std::size_t{64} << 10}) {
    CAPTURE(piece);
    counting_memory memory;
    writer out(memory);
    const std::vector<std::byte> bytes(piece);
    for (int i = 0; i < 256; ++i)
      out.put_raw(bytes.data(), bytes.size());
    CHECK(out.size() == 256 * piece);
    CHECK(memory.grown < 20);
    CHECK(memory.copied < 2 * out.size());
  }
}

TEST_CASE("a limit holds also where the memory has more room") {
  counting_memory memory(4);
  writer out(memory, {.encoded_bytes = 1000});
  for (int i = 0; i < 1000; ++i)
    out.put('x');
  CHECK_THROWS_AS(out.put('x'), brigade::codec_error);
  CHECK(out.size() == 1000);
}

TEST_CASE("sizes of every magnitude come back") {
  for (int shift = 0; shift < 64; ++shift) {
    for (const std::size_t size : {std::size_t{1} << shift, (std::size_t{1} << shift) - 1}) {
      writer out;
      out.put_size(size);
      reader in(out.bytes());
      CHECK(in.get_size("a size") == size);
      in.expect_end();
    }
  }
}

TEST_CASE("a small size takes one byte") {
  writer out;
  out.put_size(127);
  CHECK(out.size() == 1);
  out.put_size(128);
  CHECK(out.size() == 3);
}

TEST_CASE("truncating forgets the end") {
  writer out;
  out.put_text("kept");
  const std::size_t size = out.size();
  out.put_text("forgotten");
  out.truncate(size);
  out.put_text("more");
  reader in(out.bytes());
  CHECK(in.get_text("text") == "kept");
  CHECK(in.get_text("text") == "more");
  in.expect_end();
}

TEST_CASE("levels are counted and given back") {
  writer out({.decoded_bytes = {}, .depth = 2});
  for (int i = 0; i < 3; ++i) {
    const writer::level first(out);
    const writer::level second(out);
    CHECK_THROWS_AS(writer::level{out}, brigade::codec_error);
  }
}
