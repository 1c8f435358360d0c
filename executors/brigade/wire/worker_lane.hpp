// The worker's end of the memory that it shares with the host: one call after the other comes out,
// and its answer goes where the call was.
//
// The worker believes the host. What it finds changed by anybody else (a task that wrote over its
// memory) is `lost`: it has nothing to live for. One thread uses it, but for the members that
// concern stopping.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include <brigade/codec/writer.hpp>
#include <brigade/os/memfd.hpp>
#include <brigade/wire/area.hpp>
#include <brigade/wire/block_store.hpp>
#include <brigade/wire/lane_layout.hpp>
#include <brigade/wire/pause.hpp>

namespace brigade::wire {

class worker_lane final : public codec::writer_memory {
 public:
  // `fd` may be closed afterwards. Throws std::system_error when it is no lane. Blocks of large
  // calls are read from one file, those of large answers are written to the other.
  explicit worker_lane(int fd, os::unique_fd call_blocks = {}, os::unique_fd answer_blocks = {});

  struct call {
    std::uint64_t number = 0;
    lane_message message;
    std::span<const std::byte> body;  // valid until the answer is written
    bool unreadable = false;          // there is no memory to map its block
    std::shared_ptr<const os::mapping> memory = {};
  };
  enum class next { call, closed, lost };
  // Waits for the next call and takes it.
  [[nodiscard]] next take(call& to) noexcept;

  // The arguments are there, the task begins.
  void begin() const noexcept;

  struct told {
    bool lost = false;           // nobody will read it
    bool last = false;           // the call was condemned: there is no next one
    bool wants_message = false;  // the host waits for a frame to be sent
    bool sends_body = false;     // so does the body, which has no room here
  };
  // Writes the answer and publishes it. A body that was built in the lane's own memory is not
  // copied.
  [[nodiscard]] told answer(lane_message message, std::span<const std::byte> body) noexcept;

  // As the memory of a codec::writer, which builds the body of the next answer: small ones in
  // private memory, others in place, in the area or in a block.
  [[nodiscard]] std::span<std::byte> grow(std::span<const std::byte> used,
                                          std::size_t wanted) override;

  // --- stopping. Thread-safe --------------------------------------------------------------------
  [[nodiscard]] bool stop_requested(std::uint64_t call) const noexcept;
  // The number of times the bell was rung; wait until it is no longer `heard`.
  [[nodiscard]] std::uint32_t rings() const noexcept;
  void wait_for_ring(std::uint32_t heard) const noexcept;
  void ring() const noexcept;

 private:
  enum class sight { nothing, call, passed, lost };
  [[nodiscard]] lane_header& header() const noexcept;
  [[nodiscard]] slot& slot_at(std::uint64_t call) const noexcept;
  [[nodiscard]] sight look() const noexcept;
  [[nodiscard]] bool spin() noexcept;
  [[nodiscard]] bool read(call& to) noexcept;
  [[nodiscard]] bool tell_host() const noexcept;
  void sleep() noexcept;
  void take_blocks_back() noexcept;
  void tidy() noexcept;
  [[nodiscard]] std::byte* place_in_area(std::size_t bytes) noexcept;
  [[nodiscard]] bool place(lane_message& message, std::span<const std::byte> body) noexcept;

  os::mapping mapping_;
  std::uint64_t current_ = 1;  // the call that is taken, or the next one to be
  bool may_spin_ = false;
  spin_habit habit_;
  area answers_{area_bytes};
  block_reader call_blocks_;
  // --- where the next answer is being built ------------------------------------------------------
  std::unique_ptr<std::byte[]> small_;
  std::unique_ptr<std::byte[]> large_;  // when nothing is left in what is shared
  std::byte* in_area_ = nullptr;
  std::optional<area> reserved_;  // answers_ with it
  std::uint64_t area_at_ = 0;
  block_store blocks_;
  block building_;
  std::vector<block> unread_;  // in the order of their answers
  std::uint64_t blocks_taken_back_ = 0;
};

}  // namespace brigade::wire
