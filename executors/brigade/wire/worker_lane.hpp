// The worker's end of the memory that it shares with the host: one call after the other comes out,
// and its answer goes where the call was.
//
// The worker believes the host. What it finds changed by anybody else (a task that wrote over its
// memory) is `lost`: it has nothing to live for. One thread uses it, but for the members that
// concern stopping.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include <brigade/os/memfd.hpp>
#include <brigade/wire/area.hpp>
#include <brigade/wire/lane_layout.hpp>
#include <brigade/wire/pause.hpp>

namespace brigade::wire {

class worker_lane {
 public:
  // `fd` may be closed afterwards. Throws std::system_error when it is no lane.
  explicit worker_lane(int fd);

  struct call {
    std::uint64_t number = 0;
    lane_message message;
    std::span<const std::byte> body;  // valid until the answer is written
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
  // Writes the answer and publishes it.
  [[nodiscard]] told answer(lane_message message, std::span<const std::byte> body) noexcept;

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
  [[nodiscard]] bool read(call& to) const noexcept;
  [[nodiscard]] bool tell_host() const noexcept;

  os::mapping mapping_;
  std::uint64_t current_ = 1;  // the call that is taken, or the next one to be
  bool may_spin_ = false;
  spin_habit habit_;
  area answers_{area_bytes};
};

}  // namespace brigade::wire
