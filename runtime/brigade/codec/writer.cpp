#include <brigade/codec/writer.hpp>

#include <algorithm>
#include <string>

#include <brigade/base/error.hpp>

namespace brigade::codec {

void writer::grow(const void* data, std::size_t size) {
  constexpr std::size_t large = 64 * 1024;
  constexpr std::size_t slack = 256;  // what follows a large one is often small
  const auto* first = static_cast<const std::byte*>(data);
  if (size > most_ - size_) {
    fail("it takes more than the " + std::to_string(most_) +
         " bytes that limits::encoded_bytes allows; pass it in parts or through a file, or raise "
         "the limit");
  }
  const std::size_t needed = size_ + size;
  // At least twice as much, or many large pieces would be copied as often as there are pieces.
  const std::size_t tail = size >= large ? slack : 0;
  const std::size_t wanted = std::min(most_, std::max({first_room, 2 * size_, needed + tail}));
  if (memory_ != nullptr) {
    const std::span<std::byte> given = memory_->grow(room_.first(size_), wanted);
    room_ = given.first(std::min(given.size(), most_));  // nothing is written behind the limit
    std::memcpy(room_.data() + size_, first, size);
  } else {
    buffer_.resize(size_);
    if (size >= large) {
      // Appending writes each byte once; making room first would fill it with zeros.
      buffer_.insert(buffer_.end(), first, first + size);
    } else {
      buffer_.resize(wanted);
      std::memcpy(buffer_.data() + size_, first, size);
    }
    room_ = buffer_;
  }
  size_ = needed;
}

std::vector<std::byte> writer::take() {
  buffer_.resize(size_);
  size_ = 0;
  room_ = {};
  return std::exchange(buffer_, {});
}

void writer::fail(std::string_view why) const {
  throw codec_error("brigade: a value cannot be encoded: " + std::string(why));
}

void writer::fail_depth() const {
  fail(
      "its containers lie deeper in each other than limits::depth allows; flatten the value or "
      "raise the limit on both sides");
}

}  // namespace brigade::codec
