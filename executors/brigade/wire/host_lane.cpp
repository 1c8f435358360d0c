#include <brigade/wire/host_lane.hpp>

#include <algorithm>
#include <cstring>
#include <new>

#include <brigade/os/futex.hpp>

namespace brigade::wire {

host_lane host_lane::make(os::unique_fd& fd) {
  fd = os::make_sealed_memfd("brigade-lane", lane_bytes);
  host_lane made;
  made.mapping_ = os::mapping(fd.get(), lane_bytes);
  lane_header* const header = ::new (made.mapping_.data()) lane_header;
  header->slots = lane_slots;
  // The slots are zero, as the file is: free. A slot is an implicit-lifetime type.
  return made;
}

host_lane host_lane::make(os::unique_fd& fd, os::unique_fd& blocks, std::size_t most_bytes) {
  host_lane made = make(fd);
  blocks = os::make_growing_memfd("brigade-answers");
  made.blocks_ = block_reader(os::duplicate(blocks.get()));
  made.most_in_block_ = most_bytes;
  return made;
}

lane_header& host_lane::header() const noexcept {
  return *std::launder(reinterpret_cast<lane_header*>(mapping_.data()));
}

slot& host_lane::slot_at(std::uint64_t call) const noexcept {
  std::byte* const at = mapping_.data() + slots_at + call % lane_slots * slot_bytes;
  return *std::launder(reinterpret_cast<slot*>(at));
}

// --- calls ---------------------------------------------------------------------------------------

std::optional<host_lane::written> host_lane::write(lane_message message,
                                                   std::span<const std::byte> body,
                                                   std::optional<std::uint64_t> oldest,
                                                   bool large) {
  const std::uint64_t call = next_call_;
  // The slot of a call that has been taken back may be used again before the worker came by: it
  // finds a later number there and goes on.
  if (oldest && call - *oldest >= lane_slots) return std::nullopt;
  slot& to = slot_at(call);
  message.size = body.size();
  const bool in_block = message.place == body_place::block;
  if (!in_block) {
    message.place = body_place::slot;
    message.at = 0;
  }
  std::byte* bytes = to.body;
  std::uint64_t begin = calls_.next();
  if (!in_block && message.size > slot_body_bytes) {
    const std::uint64_t freed = oldest ? begins_[*oldest % lane_slots] : calls_.next();
    const auto at = calls_.place(message.size, freed);
    if (at) {
      message.place = body_place::area;
      message.at = begin = *at;
      bytes = mapping_.data() + calls_at + *at % area_bytes;
    } else if (large) {
      message.place = body_place::message;
    } else {
      return std::nullopt;
    }
  }
  if (!in_block && message.place != body_place::message) {
    std::copy(body.begin(), body.end(), bytes);
  }
  std::memcpy(&to.message, &message, sizeof message);
  begins_[call % lane_slots] = begin;
  ++next_call_;
  return written{call, message.place};
}

void host_lane::publish(std::uint64_t call) noexcept {
  // release: publishes the message and its body. seq_cst: the worker stores worker_waits and then
  // looks at this word; the host stores this word and then looks at worker_waits. One of them sees
  // the other. (An exchange: a store and a later load must not change places.)
  slot_at(call).word.exchange(slot_word(call, slot_state::queued), std::memory_order_seq_cst);
}

void host_lane::wake_worker() const noexcept {
  std::atomic<std::uint32_t>& waits = header().worker_waits;
  if (waits.load(std::memory_order_seq_cst) == 0) return;  // as in publish()
  // relaxed: the worker looks at the slots, this word carries nothing.
  if (waits.exchange(0, std::memory_order_relaxed) == 0) return;
  os::futex_wake(waits, 1, os::futex_scope::shared);
}

void host_lane::close() const noexcept {
  header().closing.store(1, std::memory_order_seq_cst);  // against worker_waits, as in publish()
  wake_worker();
}

void host_lane::request_stop(std::uint64_t call) const noexcept {
  header().stop.store(call, std::memory_order_relaxed);         // published by the ring
  header().stop_rings.fetch_add(1, std::memory_order_release);  // publishes it
  os::futex_wake(header().stop_rings, os::everybody, os::futex_scope::shared);
}

// --- the slot protocol ---------------------------------------------------------------------------

host_lane::standing host_lane::look(std::uint64_t call) const noexcept {
  // acquire: an answer that is seen is complete. seq_cst: before sleeping, see tell_me().
  const std::uint64_t word = slot_at(call).word.load(std::memory_order_seq_cst);
  if (call_of(word) != call) return standing::nonsense;
  switch (state_of_word(word)) {
    case slot_state::queued:
      return standing::waiting;
    case slot_state::taken:
      return standing::taken;
    case slot_state::running:
    case slot_state::condemned:
      return standing::running;
    case slot_state::done:
    case slot_state::last:
      return standing::answered;
    default:
      return standing::nonsense;
  }
}

bool host_lane::change(std::uint64_t call, slot_state from, slot_state to) const noexcept {
  std::uint64_t expected = slot_word(call, from);
  // relaxed: only one side succeeds; neither change publishes anything.
  return slot_at(call).word.compare_exchange_strong(expected, slot_word(call, to),
                                                    std::memory_order_relaxed);
}

bool host_lane::take_back(std::uint64_t call) const noexcept {
  return change(call, slot_state::queued, slot_state::reclaimed);
}

bool host_lane::condemn(std::uint64_t call) const noexcept {
  // The worker only moves forward, so two tries find it wherever it is; nonsense in the slot is as
  // good as condemned, since its worker finds no way on.
  return change(call, slot_state::taken, slot_state::condemned) ||
         change(call, slot_state::running, slot_state::condemned) ||
         look(call) == standing::nonsense;
}

// --- answers -------------------------------------------------------------------------------------

std::optional<host_lane::answer> host_lane::read(std::uint64_t call) noexcept {
  const slot& from = slot_at(call);
  answer found;
  std::memcpy(&found.message, &from.message, sizeof found.message);  // once: it may change
  const lane_message& message = found.message;
  if (message.kind != message_kind::result && message.kind != message_kind::exception) {
    return std::nullopt;
  }
  switch (message.place) {
    case body_place::slot:
      if (message.size > slot_body_bytes) return std::nullopt;
      found.body = {from.body, message.size};
      return found;
    case body_place::area:
      if (!inside_area(message.at, message.size, area_bytes)) return std::nullopt;
      found.body = {mapping_.data() + answers_at + message.at % area_bytes, message.size};
      return found;
    case body_place::block: {
      // A file with holes is as large as the worker says; the memory to decode it is ours.
      if (message.size > most_in_block_) return std::nullopt;
      auto there = blocks_.read(message.at, message.size);
      if (!there) return std::nullopt;
      found.body = there->bytes;
      found.memory = std::move(there->memory);
      return found;
    }
    case body_place::message:
      return found;
  }
  return std::nullopt;
}

void host_lane::let_go(const answer& read) noexcept {
  if (read.message.place == body_place::block) {
    // release: as below.
    header().blocks_read.store(++blocks_read_, std::memory_order_release);
    return;
  }
  if (read.message.place != body_place::area) return;
  // release: the worker overwrites these bytes only after they have been read.
  header().answers_read.store(read.message.at + read.message.size, std::memory_order_release);
}

// --- sleep ---------------------------------------------------------------------------------------

void host_lane::tell_me(host_wait how) const noexcept {
  // seq_cst: the host stores this and then looks at the slots; the worker stores `done` and then
  // looks at this. One of them sees the other.
  header().host_waits.store(static_cast<std::uint32_t>(how), std::memory_order_seq_cst);
}

void host_lane::tell_me_if_awake() const noexcept {
  auto expected = static_cast<std::uint32_t>(host_wait::none);
  header().host_waits.compare_exchange_strong(expected,
                                              static_cast<std::uint32_t>(host_wait::by_message),
                                              std::memory_order_seq_cst);  // as tell_me()
}

const std::atomic<std::uint32_t>& host_lane::host_word() const noexcept {
  return header().host_waits;
}

}  // namespace brigade::wire
