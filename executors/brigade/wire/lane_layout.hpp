// The bytes that the host and one worker share, see README.md: a header, a ring of slots, and an
// area for what does not fit into a slot in each direction. Constants and plain structures only;
// host_lane and worker_lane are its two users.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace brigade::wire {

inline constexpr std::uint32_t lane_mark = 0x62726c31;  // "brl1"

// --- the state of a slot ------------------------------------------------------------------------
// A word holds the number of the call in its upper bits, so that a word of another call never
// compares equal: a late hand finds the slot changed.
enum class slot_state : std::uint8_t {
  free,       // nothing was ever here
  queued,     // host: a call is complete; either side may take it
  reclaimed,  // host: taken back, the worker goes on to the next
  taken,      // worker: its arguments are being decoded
  running,    // worker: the task itself has begun
  condemned,  // host: as taken or running, but the worker takes nothing more after it
  done,       // worker: the answer is complete, the worker goes on
  last,       // worker: the answer of a condemned call; the worker has stopped
};
inline constexpr unsigned slot_states = 8;

[[nodiscard]] constexpr std::uint64_t slot_word(std::uint64_t call, slot_state state) noexcept {
  return call << 8 | static_cast<std::uint64_t>(state);
}
[[nodiscard]] constexpr std::uint64_t call_of(std::uint64_t word) noexcept { return word >> 8; }
[[nodiscard]] constexpr slot_state state_of_word(std::uint64_t word) noexcept {
  return static_cast<slot_state>(word & 0xff);
}

// --- what lies in a slot ------------------------------------------------------------------------
enum class message_kind : std::uint32_t {
  call = 1,   // body is thunk, callable and arguments, then the task's name
  result,     // body is the encoded value, empty for void
  exception,  // body is the encoded exception
};

enum class body_place : std::uint32_t {
  slot,     // beside the message
  area,     // in the area of this direction
  block,    // larger: in a block, see block_store
  message,  // there is no room in any of them: it comes as a frame over the channel
};

// Flags of a call.
inline constexpr std::uint32_t takes_stop = 1;  // listen for a request to stop
inline constexpr std::uint32_t wants_cpu = 2;   // measure its CPU time
inline constexpr std::uint32_t may_spin = 4;  // a CPU is free: look for the next call for a moment

struct lane_message {
  message_kind kind = message_kind::call;
  std::uint32_t flags = 0;  // of a call; of an answer: the ns that it took, or the most that fit
  std::uint32_t name_size = 0;  // of a call: bytes at the end of its body
  body_place place = body_place::slot;
  std::uint64_t number = 0;  // of a call: the task's id; of an answer: its CPU time in ns
  std::uint64_t size = 0;    // of the body
  std::uint64_t at = 0;  // in an area: position, counted from the first byte ever written there;
                         // in a block: where in its file
};
static_assert(std::is_trivially_copyable_v<lane_message> && sizeof(lane_message) == 40);

inline constexpr std::size_t slot_bytes = 256;
inline constexpr std::size_t slot_body_bytes =
    slot_bytes - sizeof(std::uint64_t) - sizeof(lane_message);
struct slot {
  std::atomic<std::uint64_t> word{0};
  lane_message message;  // the request, and after it the answer
  std::byte body[slot_body_bytes];
};
static_assert(sizeof(slot) == slot_bytes);
static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

// --- the header ---------------------------------------------------------------------------------
// Who sleeps, on which word. Each word has its own cache line: they are written by different sides.
struct lane_header {
  std::uint32_t mark = lane_mark;
  std::uint32_t slots = 0;
  // 1: the worker sleeps on this word until the host stores 0 and wakes it.
  alignas(64) std::atomic<std::uint32_t> worker_waits{0};
  // How the host wants to be told of an answer, see host_wait.
  alignas(64) std::atomic<std::uint32_t> host_waits{0};
  // Host: which call is to stop; a bell for the thread that listens for that, and for nothing else.
  alignas(64) std::atomic<std::uint64_t> stop{0};
  std::atomic<std::uint32_t> stop_rings{0};
  std::atomic<std::uint32_t> closing{0};  // 1: there will be no more calls
  // Host: all answers before this position of their area have been read.
  alignas(64) std::atomic<std::uint64_t> answers_read{0};
  std::atomic<std::uint64_t> blocks_read{0};  // so many answers that lay in blocks
};

enum class host_wait : std::uint32_t {
  none,        // it is awake and will look
  by_message,  // send a frame over the channel: its own thread waits for descriptors
  by_futex,    // wake the word itself: a caller waits for an answer
};

inline constexpr std::size_t lane_slots = 256;
inline constexpr std::size_t header_bytes = 4096;
inline constexpr std::size_t area_bytes = std::size_t{4} << 20;
inline constexpr std::size_t slots_at = header_bytes;
inline constexpr std::size_t calls_at = slots_at + lane_slots * slot_bytes;
inline constexpr std::size_t answers_at = calls_at + area_bytes;
inline constexpr std::size_t lane_bytes = answers_at + area_bytes;
static_assert(sizeof(lane_header) <= header_bytes);

}  // namespace brigade::wire
