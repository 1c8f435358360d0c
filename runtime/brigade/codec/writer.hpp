// Values to bytes: the buffer that a value is encoded into. One writer makes one message and is
// used by one thread; take() hands the bytes over.
//
// The format is the memory of this build: native byte order and sizes, lengths as 1 to 10 bytes.
// It is for a peer that runs the same modules, and it is no file format.
#pragma once

#include <cstddef>
#include <cstring>
#include <limits>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <brigade/codec/limits.hpp>

namespace brigade::codec {

// Where the bytes of a writer lie, when they are not to be its own: encoded in place, they need not
// be copied from there. It outlives the writer, which never moves its end back into `used`.
class writer_memory {
 public:
  // Room for `wanted` bytes or more that begins with a copy of `used`, which is the beginning of
  // what the last call returned (or empty): that one is no longer looked at. Throws when there is
  // none.
  [[nodiscard]] virtual std::span<std::byte> grow(std::span<const std::byte> used,
                                                  std::size_t wanted) = 0;

 protected:
  ~writer_memory() = default;
};

class writer {
 public:
  // What it asks a writer_memory for first, when that is enough.
  static constexpr std::size_t first_room = 256;

  explicit writer(limits bounds = {}) : writer(nullptr, bounds) {}
  explicit writer(writer_memory& memory, limits bounds = {}) : writer(&memory, bounds) {}
  writer(writer&& other) noexcept
      : buffer_(std::move(other.buffer_)),
        memory_(other.memory_),
        room_(std::exchange(other.room_, {})),
        size_(std::exchange(other.size_, 0)),
        most_(other.most_),
        depth_left_(other.depth_left_) {}
  writer& operator=(writer&& other) noexcept {
    buffer_ = std::move(other.buffer_);
    memory_ = other.memory_;
    room_ = std::exchange(other.room_, {});
    size_ = std::exchange(other.size_, 0);
    most_ = other.most_;
    depth_left_ = other.depth_left_;
    return *this;
  }
  ~writer() = default;

  void put_raw(const void* data, std::size_t size) {
    if (room_.size() - size_ < size) {
      grow(data, size);
    } else if (size != 0) {
      std::memcpy(room_.data() + size_, data, size);
      size_ += size;
    }
  }

  // The bytes of a number, or of any type without padding.
  template <class T>
  requires std::is_trivially_copyable_v<T>
  void put(const T& value) { put_raw(&value, sizeof value); }

  // A length or an index: seven bits a byte, least significant first.
  void put_size(std::size_t value) {
    std::byte bytes[(std::numeric_limits<std::size_t>::digits + 6) / 7];
    std::size_t used = 0;
    for (; value >= 0x80; value >>= 7)
      bytes[used++] = static_cast<std::byte>(value | 0x80);
    bytes[used++] = static_cast<std::byte>(value);
    put_raw(bytes, used);
  }

  void put_text(std::string_view text) {
    put_size(text.size());
    put_raw(text.data(), text.size());
  }

  // Elements of a container take at least one byte each, so that the reader can check their number
  // against what remains. `start` is size() before the element.
  void end_element(std::size_t start) {
    if (size_ == start) put(std::byte{0});
  }

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return {room_.data(), size_}; }

  // Forgets what was written after the first `size` bytes.
  void truncate(std::size_t size) noexcept { size_ = size < size_ ? size : size_; }

  // Leaves the writer empty. Only of a writer whose bytes are its own.
  [[nodiscard]] std::vector<std::byte> take();

  // The value cannot be encoded: throws codec_error. `why` is a clause with the cure.
  [[noreturn]] void fail(std::string_view why) const;

  // One level of containers, as long as it lives.
  class level {
   public:
    explicit level(writer& out) : out_(out) {
      if (out_.depth_left_ == 0) out_.fail_depth();
      --out_.depth_left_;
    }
    ~level() { ++out_.depth_left_; }
    level(const level&) = delete;
    level& operator=(const level&) = delete;

   private:
    writer& out_;
  };

 private:
  writer(writer_memory* memory, limits bounds)
      : memory_(memory),
        most_(bounds.encoded_bytes.value_or(std::numeric_limits<std::size_t>::max())),
        depth_left_(bounds.depth) {}
  void grow(const void* data, std::size_t size);
  [[noreturn]] void fail_depth() const;

  std::vector<std::byte> buffer_;  // of a writer without memory_
  writer_memory* memory_;
  std::span<std::byte> room_;  // there; size_ bytes of it are written
  std::size_t size_ = 0;
  std::size_t most_;
  std::size_t depth_left_;
};

}  // namespace brigade::codec
