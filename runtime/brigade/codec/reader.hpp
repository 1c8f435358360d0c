// Bytes to values, where the bytes may be anything: every length is checked against what remains,
// memory against a budget, nesting against a depth. Whatever the input, decoding ends, or throws
// codec_error with the place of the fault. A reader does not own its input, which must outlive it;
// one thread uses it.
#pragma once

#include <cstddef>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

#include <brigade/codec/limits.hpp>

namespace brigade::codec {

class reader {
 public:
  explicit reader(std::span<const std::byte> input, limits bounds = {});

  [[nodiscard]] std::size_t remaining() const noexcept { return input_.size() - offset_; }
  [[nodiscard]] std::size_t offset() const noexcept { return offset_; }

  // The next `size` bytes, in place. `what` names what is being read, for the error.
  std::span<const std::byte> take(std::size_t size, std::string_view what) {
    if (size > remaining()) fail_short(size, what);
    const auto bytes = input_.subspan(offset_, size);
    offset_ += size;
    return bytes;
  }

  void get_raw(void* to, std::size_t size, std::string_view what) {
    const auto bytes = take(size, what);
    if (size != 0) std::memcpy(to, bytes.data(), size);
  }

  // For types of which every pattern of bytes is a value.
  template <class T>
  requires std::is_trivially_copyable_v<T>
  [[nodiscard]] T get(std::string_view what) {
    T value;
    get_raw(&value, sizeof value, what);
    return value;
  }

  // What writer::put_size wrote.
  [[nodiscard]] std::size_t get_size(std::string_view what) {
    if (offset_ < input_.size() && input_[offset_] < std::byte{0x80}) {
      return std::to_integer<std::size_t>(input_[offset_++]);
    }
    return get_long_size(what);
  }

  // A number of elements that take at least `element_bytes` (not 0) of input each.
  [[nodiscard]] std::size_t get_length(std::size_t element_bytes, std::string_view what) {
    const std::size_t start = offset_;
    const std::size_t length = get_size(what);
    if (length > remaining() / element_bytes) fail_length(start, length, what);
    return length;
  }

  [[nodiscard]] std::string get_text(std::string_view what);

  // Skips what writer::end_element added. `start` is offset() before the element.
  void end_element(std::size_t start, std::string_view what) {
    if (offset_ == start) take(1, what);
  }

  // Takes from the budget of decoded bytes, before the memory is allocated.
  void charge(std::size_t count, std::size_t bytes_each, std::string_view what) {
    if (bytes_each != 0 && count > budget_ / bytes_each) fail_budget(count, bytes_each, what);
    budget_ -= count * bytes_each;
  }

  // Memory for a large container has been allocated, see limits::about_to_fill.
  void about_to_fill(void* memory, std::size_t bytes) const noexcept {
    if (about_to_fill_ != nullptr) about_to_fill_(memory, bytes);
  }

  // Throws unless everything was read.
  void expect_end() const;

  // The input is no such value: throws codec_error. `why` is a clause.
  [[noreturn]] void fail(std::string_view what, std::string_view why) const;

  // One level of containers, as long as it lives.
  class level {
   public:
    level(reader& in, std::string_view what) : in_(in) {
      if (in_.depth_left_ == 0) in_.fail_depth(what);
      --in_.depth_left_;
    }
    ~level() { ++in_.depth_left_; }
    level(const level&) = delete;
    level& operator=(const level&) = delete;

   private:
    reader& in_;
  };

 private:
  [[nodiscard]] std::size_t get_long_size(std::string_view what);
  [[noreturn]] void fail_short(std::size_t size, std::string_view what) const;
  [[noreturn]] void fail_length(std::size_t start, std::size_t length, std::string_view what) const;
  [[noreturn]] void fail_budget(std::size_t count, std::size_t each, std::string_view what) const;
  [[noreturn]] void fail_depth(std::string_view what) const;

  std::span<const std::byte> input_;
  std::size_t offset_ = 0;
  std::size_t budget_;
  std::size_t depth_left_;
  void (*about_to_fill_)(void*, std::size_t) noexcept;
};

}  // namespace brigade::codec
