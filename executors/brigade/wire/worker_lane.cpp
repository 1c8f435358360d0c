#include <brigade/wire/worker_lane.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>
#include <string>
#include <system_error>

#include <brigade/os/futex.hpp>

namespace brigade::wire {

worker_lane::worker_lane(int fd) {
  if (os::sealed_memfd_bytes(fd) != lane_bytes) {
    throw std::system_error(EINVAL, std::generic_category(), "the shared memory of a worker");
  }
  mapping_ = os::mapping(fd, lane_bytes);
  if (header().mark != lane_mark || header().slots != lane_slots) {
    throw std::system_error(EINVAL, std::generic_category(), "the shared memory of a worker");
  }
}

lane_header& worker_lane::header() const noexcept {
  return *std::launder(reinterpret_cast<lane_header*>(mapping_.data()));
}

slot& worker_lane::slot_at(std::uint64_t call) const noexcept {
  std::byte* const at = mapping_.data() + slots_at + call % lane_slots * slot_bytes;
  return *std::launder(reinterpret_cast<slot*>(at));
}

// --- calls ---------------------------------------------------------------------------------------

worker_lane::sight worker_lane::look() const noexcept {
  // acquire: the call is complete. seq_cst: after worker_waits was stored, see
  // host_lane::publish().
  const std::uint64_t word = slot_at(current_).word.load(std::memory_order_seq_cst);
  if (state_of_word(word) >= slot_state{slot_states}) return sight::lost;
  const std::uint64_t call = call_of(word);
  if (call == current_) {
    if (word == slot_word(call, slot_state::queued)) return sight::call;
    return word == slot_word(call, slot_state::reclaimed) ? sight::passed : sight::lost;
  }
  if (call < current_) return sight::nothing;
  // A later call is in this slot: ours was taken back. Only whole rounds are possible.
  return (call - current_) % lane_slots == 0 ? sight::passed : sight::lost;
}

bool worker_lane::spin() noexcept {
  if (!may_spin_ || !habit_.is_worth_it()) return false;
  bool seen = false;
  for (unsigned round = 0; round < spin_rounds && !seen; ++round) {
    pause_for_a_moment();
    seen = look() != sight::nothing;
  }
  habit_.note(seen);
  return seen;
}

worker_lane::next worker_lane::take(call& to) noexcept {
  std::atomic<std::uint32_t>& waits = header().worker_waits;
  for (;;) {
    switch (look()) {
      case sight::lost:
        return next::lost;
      case sight::passed:
        ++current_;
        continue;
      case sight::call: {
        std::uint64_t expected = slot_word(current_, slot_state::queued);
        // relaxed: look() has acquired the call; the change itself publishes nothing.
        if (!slot_at(current_).word.compare_exchange_strong(
                expected, slot_word(current_, slot_state::taken), std::memory_order_relaxed)) {
          continue;  // taken back at the last moment
        }
        if (!read(to)) return next::lost;
        may_spin_ = (to.message.flags & may_spin) != 0;
        return next::call;
      }
      case sight::nothing:
        break;
    }
    if (spin()) continue;
    // seq_cst: see host_lane::publish().
    if (waits.exchange(1, std::memory_order_seq_cst) == 0 && look() != sight::nothing) {
      waits.store(0, std::memory_order_relaxed);  // awake; at worst the host wakes in vain
      continue;
    }
    if (header().closing.load(std::memory_order_seq_cst) != 0) return next::closed;
    os::futex_wait(waits, 1, os::futex_scope::shared);
  }
}

bool worker_lane::read(call& to) const noexcept {
  const slot& from = slot_at(current_);
  to.number = current_;
  std::memcpy(&to.message, &from.message, sizeof to.message);
  const lane_message& message = to.message;
  if (message.name_size > message.size) return false;
  switch (message.place) {
    case body_place::slot:
      if (message.size > slot_body_bytes) return false;
      to.body = {from.body, message.size};
      return true;
    case body_place::area:
      if (!inside_area(message.at, message.size, area_bytes)) return false;
      to.body = {mapping_.data() + calls_at + message.at % area_bytes, message.size};
      return true;
    case body_place::message:
      to.body = {};
      return true;
  }
  return false;
}

void worker_lane::begin() const noexcept {
  std::uint64_t expected = slot_word(current_, slot_state::taken);
  // relaxed: read by the host after this process has died, which orders everything, or for a
  // condemnation, which only one of the two can win.
  (void)slot_at(current_).word.compare_exchange_strong(
      expected, slot_word(current_, slot_state::running), std::memory_order_relaxed);
}

// --- answers -------------------------------------------------------------------------------------

worker_lane::told worker_lane::answer(lane_message message,
                                      std::span<const std::byte> body) noexcept {
  slot& to = slot_at(current_);
  message.size = body.size();
  message.place = body_place::slot;
  std::byte* bytes = to.body;
  if (body.size() > slot_body_bytes) {
    // acquire: the host has read what was there, see host_lane::let_go().
    const std::uint64_t freed = header().answers_read.load(std::memory_order_acquire);
    const auto at = answers_.place(body.size(), freed);
    message.place = at ? body_place::area : body_place::message;
    message.at = at.value_or(0);
    bytes = mapping_.data() + answers_at + message.at % area_bytes;
  }
  const bool sends_body = message.place == body_place::message;
  if (!sends_body) std::copy(body.begin(), body.end(), bytes);
  std::memcpy(&to.message, &message, sizeof message);

  const std::uint64_t call = current_++;
  for (const slot_state from : {slot_state::running, slot_state::taken, slot_state::condemned}) {
    const bool ends = from == slot_state::condemned;
    std::uint64_t expected = slot_word(call, from);
    // release: publishes the answer. seq_cst: see host_lane::tell_me().
    if (!to.word.compare_exchange_strong(
            expected, slot_word(call, ends ? slot_state::last : slot_state::done),
            std::memory_order_seq_cst)) {
      continue;
    }
    return {.last = ends, .wants_message = tell_host(), .sends_body = sends_body};
  }
  return {.lost = true};
}

bool worker_lane::tell_host() const noexcept {
  std::atomic<std::uint32_t>& waits = header().host_waits;
  if (waits.load(std::memory_order_seq_cst) == 0) return false;  // see host_lane::tell_me()
  // relaxed: the host looks at the slots, this word carries nothing. Zero: told once is enough.
  const auto how = static_cast<host_wait>(waits.exchange(0, std::memory_order_relaxed));
  if (how == host_wait::by_futex) {
    os::futex_wake(waits, os::everybody, os::futex_scope::shared);
  }
  return how == host_wait::by_message;
}

// --- stopping ------------------------------------------------------------------------------------

bool worker_lane::stop_requested(std::uint64_t call) const noexcept {
  return header().stop.load(std::memory_order_relaxed) == call;  // after rings(), which acquires
}

std::uint32_t worker_lane::rings() const noexcept {
  return header().stop_rings.load(std::memory_order_acquire);  // sees the stop written before it
}

void worker_lane::wait_for_ring(std::uint32_t heard) const noexcept {
  os::futex_wait(header().stop_rings, heard, os::futex_scope::shared);
}

void worker_lane::ring() const noexcept {
  header().stop_rings.fetch_add(1, std::memory_order_release);  // publishes the reason
  os::futex_wake(header().stop_rings, os::everybody, os::futex_scope::shared);
}

}  // namespace brigade::wire
