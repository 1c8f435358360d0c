// What host and worker say to each other over the channel: a fixed header and a body. Calls and
// answers go through the lane; here go the greeting, and what is too large for the lane.
//
// Both run the same build, so the header is plain memory. A frame that is sent is one buffer: its
// writer leaves room for the header first and seal() fills it in, so that nothing is copied.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <vector>

#include <brigade/codec/reader.hpp>
#include <brigade/codec/writer.hpp>

namespace brigade::wire {

enum class frame_kind : std::uint32_t {
  setup = 1,  // host: who you are
  ready,      // worker: give me calls
  call,       // host: the body of a call that has no room in the lane
  answer,     // worker: the body of such an answer
  look,       // worker: there are answers in the lane, and you were asleep
};

inline constexpr std::uint32_t frame_mark = 0x62726731;  // "brg1"

struct frame_header {
  std::uint32_t mark = frame_mark;
  frame_kind kind = frame_kind::setup;
  std::uint64_t call = 0;  // number of the call in its lane, in an answer the same
  std::uint64_t body_size = 0;
};
static_assert(std::is_trivially_copyable_v<frame_header> && sizeof(frame_header) == 24);

// First thing in the writer of a frame.
void leave_room_for_header(codec::writer& out);
// What the writer has after that: where a body begins.
inline constexpr std::size_t body_start = sizeof(frame_header);

// Fills the header in, with the size of the body. Precondition: there is room for it.
void seal(std::vector<std::byte>& frame, frame_header header) noexcept;

// A whole frame without a body worth building.
[[nodiscard]] std::vector<std::byte> make_frame(frame_header header,
                                                std::span<const std::byte> body = {});

}  // namespace brigade::wire
