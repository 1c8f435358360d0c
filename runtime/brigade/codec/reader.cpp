#include <brigade/codec/reader.hpp>

#include <limits>

#include <brigade/base/error.hpp>

namespace brigade::codec {
namespace {

constexpr std::size_t smallest_budget = std::size_t{64} << 20;
constexpr std::size_t memory_for_each_byte = 64;

std::size_t budget_for(std::size_t input_bytes, const limits& bounds) {
  if (bounds.decoded_bytes) return *bounds.decoded_bytes;
  constexpr std::size_t most = std::numeric_limits<std::size_t>::max();
  if (input_bytes > most / memory_for_each_byte) return most;
  const std::size_t proportional = input_bytes * memory_for_each_byte;
  return proportional > smallest_budget ? proportional : smallest_budget;
}

[[noreturn]] void fail_at(std::size_t offset, std::string_view what, std::string_view why) {
  throw codec_error("brigade: cannot decode " + std::string(what) + " at offset " +
                    std::to_string(offset) + ": " + std::string(why));
}

constexpr std::string_view damaged =
    "; the input is damaged, cut short or was written as another type: decode it as the type that "
    "was encoded";

}  // namespace

reader::reader(std::span<const std::byte> input, limits bounds)
    : input_(input),
      budget_(budget_for(input.size(), bounds)),
      depth_left_(bounds.depth),
      about_to_fill_(bounds.about_to_fill) {}

std::string reader::get_text(std::string_view what) {
  const std::size_t length = get_length(1, what);
  charge(length, 1, what);
  const auto bytes = take(length, what);
  return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

std::size_t reader::get_long_size(std::string_view what) {
  const std::size_t start = offset_;
  std::size_t value = 0;
  for (int shift = 0;; shift += 7) {
    const auto byte = std::to_integer<std::size_t>(take(1, what)[0]);
    const std::size_t bits = byte & 0x7f;
    if (shift >= std::numeric_limits<std::size_t>::digits || (bits << shift) >> shift != bits) {
      fail_at(start, what, "its length has more bits than a size" + std::string(damaged));
    }
    value |= bits << shift;
    if (byte < 0x80) return value;
  }
}

void reader::expect_end() const {
  if (remaining() == 0) return;
  fail_at(offset_, "a value",
          std::to_string(remaining()) + " bytes are left over" + std::string(damaged));
}

void reader::fail(std::string_view what, std::string_view why) const {
  fail_at(offset_, what, std::string(why) + std::string(damaged));
}

void reader::fail_short(std::size_t size, std::string_view what) const {
  fail_at(offset_, what,
          "it takes " + std::to_string(size) + " bytes and " + std::to_string(remaining()) +
              " remain" + std::string(damaged));
}

void reader::fail_length(std::size_t start, std::size_t length, std::string_view what) const {
  fail_at(start, what,
          "it claims " + std::to_string(length) + " elements and " + std::to_string(remaining()) +
              " bytes remain" + std::string(damaged));
}

void reader::fail_budget(std::size_t count, std::size_t each, std::string_view what) const {
  fail_at(offset_, what,
          std::to_string(count) + " elements of " + std::to_string(each) +
              " bytes do not fit into the " + std::to_string(budget_) +
              " bytes of memory that the input may still decode to; if the value is right, raise "
              "limits::decoded_bytes");
}

void reader::fail_depth(std::string_view what) const {
  fail_at(offset_, what,
          "containers lie deeper in each other than limits::depth allows; flatten the value or "
          "raise the limit on both sides");
}

}  // namespace brigade::codec
