#include <brigade/wire/channel.hpp>

#include <algorithm>
#include <cstring>
#include <new>
#include <stdexcept>
#include <system_error>

#include <brigade/os/socket.hpp>

namespace brigade::wire {
namespace {

constexpr std::size_t first_room = std::size_t{16} << 10;
constexpr std::size_t kept_room = std::size_t{1} << 20;

}  // namespace

void channel::growing_buffer::grow(std::size_t size) {
  void* const grown = std::realloc(bytes_.get(), size);
  if (grown == nullptr) throw std::bad_alloc();
  (void)bytes_.release();
  bytes_.reset(static_cast<std::byte*>(grown));
  size_ = size;
}

void channel::growing_buffer::release() noexcept {
  bytes_.reset();
  size_ = 0;
}

void channel::close() noexcept {
  if (!socket_) return;
  os::shut_down(socket_.get());
  socket_.reset();
}

void channel::send(std::span<const std::byte> frame) { os::send_full(socket_.get(), frame); }

std::optional<arrived_frame> channel::receive() {
  arrived_frame frame;
  drop_consumed();
  for (;;) {
    const std::span<std::byte> room = room_or_frame(frame);
    if (room.empty()) return frame;
    const std::size_t n = os::receive_some(socket_.get(), room);
    if (n == 0) return std::nullopt;
    filled_ += n;
  }
}

channel::status channel::try_send(std::span<const std::byte> frame) {
  try {
    while (sent_ < frame.size()) {
      const auto n = os::try_send(socket_.get(), frame.subspan(sent_));
      if (!n) return status::blocked;
      sent_ += *n;
    }
  } catch (const std::system_error&) {
    return status::ended;
  }
  sent_ = 0;
  return status::done;
}

channel::status channel::try_receive(arrived_frame& frame) {
  drop_consumed();
  for (;;) {
    const std::span<std::byte> room = room_or_frame(frame);
    if (room.empty()) return status::done;
    std::optional<std::size_t> n;
    try {
      n = os::try_receive(socket_.get(), room);
    } catch (const std::system_error&) {  // ECONNRESET: it died with our bytes unread
      return status::ended;
    }
    if (!n) return status::blocked;
    if (*n == 0) return status::ended;
    filled_ += *n;
  }
}

void channel::drop_consumed() noexcept {
  if (consumed_ == 0) return;
  filled_ -= consumed_;
  if (filled_ != 0) std::memmove(buffer_.data(), buffer_.data() + consumed_, filled_);
  consumed_ = 0;
  if (filled_ == 0 && buffer_.size() > kept_room) buffer_.release();
}

std::span<std::byte> channel::room_or_frame(arrived_frame& frame) {
  std::size_t wanted = sizeof(frame_header);
  if (filled_ >= sizeof(frame_header)) {
    std::memcpy(&frame.header, buffer_.data(), sizeof(frame_header));
    constexpr std::size_t most = static_cast<std::size_t>(-1) / 4;
    if (frame.header.mark != frame_mark || frame.header.body_size > most) {
      throw std::runtime_error("brigade: what arrived is not a frame");
    }
    wanted += frame.header.body_size;
    if (filled_ >= wanted) {
      frame.body = {buffer_.data() + sizeof(frame_header), wanted - sizeof(frame_header)};
      consumed_ = wanted;
      return {};
    }
  }
  if (buffer_.size() == filled_ || buffer_.size() == 0) {
    buffer_.grow(std::max(first_room, std::min(wanted, 2 * buffer_.size())));
  }
  return {buffer_.data() + filled_, buffer_.size() - filled_};
}

}  // namespace brigade::wire
