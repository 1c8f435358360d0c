// The way of frames between the host and one worker: send a frame, receive a frame.
//
// Today a Unix stream socket; whatever carries frames faster will stand behind the same calls. The
// host uses the calls that never wait, the worker those that do. What arrives is believed only as
// far as it has arrived: a header that claims a huge body costs no memory. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <optional>
#include <span>

#include <brigade/os/fd.hpp>
#include <brigade/wire/frame.hpp>

namespace brigade::wire {

// A received frame; it points into the channel and is valid until the next receive.
struct arrived_frame {
  frame_header header;
  std::span<const std::byte> body;
};

class channel {
 public:
  channel() = default;
  explicit channel(os::unique_fd socket) noexcept : socket_(std::move(socket)) {}

  [[nodiscard]] int get() const noexcept { return socket_.get(); }
  [[nodiscard]] explicit operator bool() const noexcept { return static_cast<bool>(socket_); }
  // The peer sees the end of the stream.
  void close() noexcept;

  // --- waiting -------------------------------------------------------------------------------
  // Throws std::system_error when the peer is gone.
  void send(std::span<const std::byte> frame);
  // nullopt at the end of the stream. Throws std::runtime_error when what comes is no frame.
  [[nodiscard]] std::optional<arrived_frame> receive();

  // --- not waiting ---------------------------------------------------------------------------
  enum class status {
    done,     // sent; received
    blocked,  // would have to wait: call again when the descriptor is writable; readable
    ended,    // the peer is gone
  };
  // Called again with the same frame until done.
  [[nodiscard]] status try_send(std::span<const std::byte> frame);
  // Throws std::runtime_error when what comes is no frame.
  [[nodiscard]] status try_receive(arrived_frame& frame);

 private:
  // Bytes that grow without being filled first, and in place where the system can.
  class growing_buffer {
   public:
    [[nodiscard]] std::byte* data() const noexcept { return bytes_.get(); }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    void grow(std::size_t size);  // throws std::bad_alloc
    void release() noexcept;

   private:
    struct deleter {
      void operator()(std::byte* bytes) const noexcept { std::free(bytes); }
    };
    std::unique_ptr<std::byte, deleter> bytes_;
    std::size_t size_ = 0;
  };

  void drop_consumed() noexcept;
  // Where the next bytes go; empty when a whole frame is there, which is then in `frame`.
  [[nodiscard]] std::span<std::byte> room_or_frame(arrived_frame& frame);

  os::unique_fd socket_;
  std::size_t sent_ = 0;
  growing_buffer buffer_;
  std::size_t filled_ = 0;
  std::size_t consumed_ = 0;  // of a frame that was handed out
};

}  // namespace brigade::wire
