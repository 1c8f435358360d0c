#include <brigade/wire/frame.hpp>

#include <cstring>

namespace brigade::wire {

void leave_room_for_header(codec::writer& out) { out.put(frame_header{}); }

void seal(std::vector<std::byte>& frame, frame_header header) noexcept {
  header.body_size = frame.size() - body_start;
  std::memcpy(frame.data(), &header, sizeof header);
}

std::vector<std::byte> make_frame(frame_header header, std::span<const std::byte> body) {
  std::vector<std::byte> frame(body_start + body.size());
  if (!body.empty()) std::memcpy(frame.data() + body_start, body.data(), body.size());
  seal(frame, header);
  return frame;
}

}  // namespace brigade::wire
