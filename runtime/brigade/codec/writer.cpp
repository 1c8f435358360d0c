#include <brigade/codec/writer.hpp>

#include <algorithm>
#include <string>

#include <brigade/base/error.hpp>

namespace brigade::codec {

void writer::grow(const void* data, std::size_t size) {
  constexpr std::size_t smallest = 256;
  constexpr std::size_t large = 64 * 1024;
  const auto* first = static_cast<const std::byte*>(data);
  if (size > most_ - size_) {
    fail("it takes more than the " + std::to_string(most_) +
         " bytes that limits::encoded_bytes allows; pass it in parts or through a file, or raise "
         "the limit");
  }
  if (size >= large) {
    // Appending writes each byte once; making room first would fill it with zeros.
    buffer_.resize(size_);
    buffer_.insert(buffer_.end(), first, first + size);
    size_ = buffer_.size();
    return;
  }
  buffer_.resize(std::min(most_, std::max({smallest, 2 * buffer_.size(), size_ + size})));
  std::memcpy(buffer_.data() + size_, first, size);
  size_ += size;
}

std::vector<std::byte> writer::take() {
  buffer_.resize(size_);
  size_ = 0;
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
