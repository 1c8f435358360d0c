#include <brigade/wire/worker_lane.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>
#include <string>
#include <system_error>

#include <brigade/os/futex.hpp>

namespace brigade::wire {
namespace {

// An answer up to here is built in private memory, which stays in the caches, and copied.
constexpr std::size_t small_bytes = std::size_t{16} << 10;
// Large answers that the host has not read: then it is time to wait for it.
constexpr std::size_t most_unread = 4;
// Blocks that were not used for so long go back to the system.
constexpr std::chrono::seconds idle_time{1};

}  // namespace

worker_lane::worker_lane(int fd, os::unique_fd call_blocks, os::unique_fd answer_blocks)
    : call_blocks_(std::move(call_blocks)), blocks_(std::move(answer_blocks)) {
  unread_.reserve(most_unread);
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
  tidy();
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
    sleep();
  }
}

// Between two calls.
void worker_lane::tidy() noexcept {
  large_.reset();
  if (blocks_.held_bytes() == 0) return;
  take_blocks_back();
  blocks_.trim(os::deadline::clock::now() - idle_time);
}

void worker_lane::sleep() noexcept {
  const std::atomic<std::uint32_t>& waits = header().worker_waits;
  std::optional<os::deadline> until;
  if (!unread_.empty() || blocks_.has_free()) until = os::after(idle_time);
  if (!os::futex_wait(waits, 1, os::futex_scope::shared, until)) tidy();
}

bool worker_lane::read(call& to) noexcept {
  const slot& from = slot_at(current_);
  to.memory.reset();
  to.unreadable = false;
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
    case body_place::block: {
      auto there = call_blocks_.read(message.at, message.size);
      // Without the file it is not the call's fault: another worker can read it.
      if (!there && !call_blocks_.has_its_file()) return false;
      to.unreadable = !there;
      to.body = there ? there->bytes : std::span<const std::byte>();
      if (there) to.memory = std::move(there->memory);
      return true;
    }
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

std::byte* worker_lane::place_in_area(std::size_t bytes) noexcept {
  // A task that forked and came back in the child too: its answer counts for nothing, and must not
  // be written over that of the worker.
  if (!blocks_.is_in_its_process()) return nullptr;
  // acquire: the host has read what was there, see host_lane::let_go().
  const std::uint64_t freed = header().answers_read.load(std::memory_order_acquire);
  area with = answers_;
  const auto at = with.place(bytes, freed);
  if (!at) return nullptr;
  reserved_ = with;
  area_at_ = *at;
  return mapping_.data() + answers_at + *at % area_bytes;
}

void worker_lane::take_blocks_back() noexcept {
  // acquire: the host has read them.
  const std::uint64_t read = header().blocks_read.load(std::memory_order_acquire);
  for (; blocks_taken_back_ < read && !unread_.empty(); ++blocks_taken_back_) {
    blocks_.give_back(std::move(unread_.front()));
    unread_.erase(unread_.begin());
  }
}

std::span<std::byte> worker_lane::grow(std::span<const std::byte> used, std::size_t wanted) {
  std::byte* to = nullptr;
  std::size_t room = wanted;
  block larger;
  std::unique_ptr<std::byte[]> own;
  if (wanted <= small_bytes) {
    if (!small_) small_ = std::make_unique_for_overwrite<std::byte[]>(small_bytes);
    to = small_.get();
    room = small_bytes;
  } else if ((to = place_in_area(wanted)) == nullptr) {
    take_blocks_back();
    if (wanted > slot_body_bytes && unread_.size() < most_unread) larger = blocks_.take(wanted);
    if (larger) {
      to = larger.memory.data();
      room = larger.memory.size();
    } else {
      own = std::make_unique_for_overwrite<std::byte[]>(wanted);
      to = own.get();
    }
  }
  // It may grow where it is, and in the area move a little.
  if (to != used.data() && !used.empty()) std::memmove(to, used.data(), used.size());
  in_area_ = to != small_.get() && !larger && !own ? to : nullptr;
  blocks_.give_back(std::exchange(building_, std::move(larger)));
  large_ = std::move(own);
  return {to, room};
}

// Whether the body lies, or has been put, where the host finds it.
bool worker_lane::place(lane_message& message, std::span<const std::byte> body) noexcept {
  slot& to = slot_at(current_);
  message.size = body.size();
  message.at = 0;
  if (body.size() <= slot_body_bytes) {
    message.place = body_place::slot;
    std::copy(body.begin(), body.end(), to.body);
    return true;
  }
  if (building_ && body.data() == building_.memory.data()) {
    message.place = body_place::block;
    message.at = building_.at;
    unread_.push_back(std::exchange(building_, {}));  // there is room, see grow()
    return true;
  }
  if (in_area_ == nullptr || body.data() != in_area_) {
    std::byte* const there = place_in_area(body.size());
    message.place = there != nullptr ? body_place::area : body_place::message;
    if (there == nullptr) return false;
    std::copy(body.begin(), body.end(), there);
  }
  message.place = body_place::area;
  message.at = area_at_;
  answers_ = *reserved_;
  answers_.shorten(area_at_ + body.size());
  return true;
}

worker_lane::told worker_lane::answer(lane_message message,
                                      std::span<const std::byte> body) noexcept {
  slot& to = slot_at(current_);
  const bool sends_body = !place(message, body);
  in_area_ = nullptr;
  blocks_.give_back(std::exchange(building_, {}));
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
