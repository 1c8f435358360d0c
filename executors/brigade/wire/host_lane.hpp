// The host's end of the memory that it shares with one worker: calls go in, answers come out.
//
// Nothing that the worker may write is believed: states are compared with the few that can be,
// sizes and positions are read once and checked, and what is kept here is never read back from
// there. A worker that writes nonsense is found out as `nonsense`. One lane belongs to one worker
// process and ends with it; nothing in it has to be repaired. Not thread-safe, but for the members
// that say so.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include <brigade/os/fd.hpp>
#include <brigade/os/memfd.hpp>
#include <brigade/wire/area.hpp>
#include <brigade/wire/block_store.hpp>
#include <brigade/wire/lane_layout.hpp>

namespace brigade::wire {

class host_lane {
 public:
  host_lane() = default;
  // A fresh one; `fd` is for the worker. Throws std::system_error.
  [[nodiscard]] static host_lane make(os::unique_fd& fd);
  // The same with blocks for large answers, of so many bytes at most: `blocks` is for the worker
  // too.
  [[nodiscard]] static host_lane make(os::unique_fd& fd, os::unique_fd& blocks,
                                      std::size_t most_bytes);

  [[nodiscard]] explicit operator bool() const noexcept { return mapping_.data() != nullptr; }

  // --- calls -----------------------------------------------------------------------------------
  // Writes the next call and returns its number; the worker does not see it before publish(). The
  // body is copied, unless it is in a block, which `message` says already. One that the area has no
  // room for is `message`: then it is to be sent as a frame, if `large` allows it. nullopt when
  // there is no room.
  // `oldest`: the oldest call that has neither been taken back nor been answered.
  struct written {
    std::uint64_t call;
    body_place place;
  };
  [[nodiscard]] std::optional<written> write(lane_message message, std::span<const std::byte> body,
                                             std::optional<std::uint64_t> oldest, bool large);
  // The number that the next write() will give.
  [[nodiscard]] std::uint64_t next_call() const noexcept { return next_call_; }
  void publish(std::uint64_t call) noexcept;
  // Wakes the worker if it sleeps; after publish(), once for several. Thread-safe.
  void wake_worker() const noexcept;
  // There will be no more calls. Thread-safe.
  void close() const noexcept;
  // Thread-safe.
  void request_stop(std::uint64_t call) const noexcept;

  // --- the slot protocol. Thread-safe -----------------------------------------------------------
  enum class standing : std::uint8_t {
    waiting,  // queued
    taken,    // being decoded
    running,
    answered,
    nonsense,  // the worker has overwritten it
  };
  [[nodiscard]] standing look(std::uint64_t call) const noexcept;
  // queued -> reclaimed. True: the worker will never run it.
  [[nodiscard]] bool take_back(std::uint64_t call) const noexcept;
  // taken or running -> condemned. True: the worker runs it or has died with it, and will take no
  // other one. False: it has been answered, and whatever happens to the worker now is not for it.
  [[nodiscard]] bool condemn(std::uint64_t call) const noexcept;

  // --- answers ---------------------------------------------------------------------------------
  struct answer {
    lane_message message;
    std::span<const std::byte> body;  // in shared memory: it may change while it is read
    std::shared_ptr<const os::mapping> memory = {};  // of a body in a block
  };
  // Of a call that is `answered`. nullopt when it is nonsense.
  [[nodiscard]] std::optional<answer> read(std::uint64_t call) noexcept;
  // The body has been decoded: its room may be used again.
  void let_go(const answer& read) noexcept;
  // The worker has died and all its answers have been read: nothing of its blocks is kept.
  void let_go_of_blocks() noexcept { blocks_ = {}; }

  // --- sleep -----------------------------------------------------------------------------------
  // How the worker is to tell of answers from now on. Whoever is about to sleep looks for answers
  // once more after it. Thread-safe.
  void tell_me(host_wait how) const noexcept;
  // The same with by_message, unless something else was asked for.
  void tell_me_if_awake() const noexcept;
  // The word to sleep on, while it holds host_wait::by_futex.
  [[nodiscard]] const std::atomic<std::uint32_t>& host_word() const noexcept;

 private:
  [[nodiscard]] lane_header& header() const noexcept;
  [[nodiscard]] slot& slot_at(std::uint64_t call) const noexcept;
  [[nodiscard]] bool change(std::uint64_t call, slot_state from, slot_state to) const noexcept;

  os::mapping mapping_;
  std::uint64_t next_call_ = 1;
  area calls_{area_bytes};
  std::array<std::uint64_t, lane_slots> begins_{};  // of each slot's body in the area
  block_reader blocks_;
  std::size_t most_in_block_ = 0;
  std::uint64_t blocks_read_ = 0;
};

}  // namespace brigade::wire
