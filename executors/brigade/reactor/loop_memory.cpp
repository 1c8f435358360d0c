#include <brigade/reactor/loop_memory.hpp>

#include <algorithm>
#include <array>
#include <new>
#include <utility>

namespace brigade::detail {
namespace {

// Connected while no operation is. Its size is what the slot's memory has from the beginning.
template <std::size_t Bytes>
struct nobody {
  std::array<std::byte, Bytes> room{};
  void operator()(asio::cancellation_type_t) const noexcept {}
};

}  // namespace

loop_memory::~loop_memory() {
  while (blocks_ != nullptr) ::operator delete(std::exchange(blocks_, blocks_->next));
  while (signals_ != nullptr) delete std::exchange(signals_, signals_->next);
}

void* loop_memory::allocate_elsewhere(std::size_t size) {
  return ::operator new(std::max(size, block_bytes));
}

void loop_memory::deallocate_elsewhere(void* block) noexcept { ::operator delete(block); }

void* loop_memory::allocate(std::size_t size) {
  if (size > block_bytes || blocks_ == nullptr) return allocate_elsewhere(size);
  --block_count_;
  return std::exchange(blocks_, blocks_->next);
}

void loop_memory::deallocate(void* block, std::size_t size) noexcept {
  if (size > block_bytes || block_count_ == most_kept) {
    deallocate_elsewhere(block);
    return;
  }
  ++block_count_;
  blocks_ = ::new (block) free_block{blocks_};
}

loop_memory::signal_node& loop_memory::take_signal() {
  if (signals_ == nullptr) {
    auto* const made = new signal_node;
    made->signal.slot().emplace<nobody<128>>();
    return *made;
  }
  --signal_count_;
  return *std::exchange(signals_, signals_->next);
}

void loop_memory::give_back(signal_node& signal) noexcept {
  if (signal_count_ == most_kept) {
    delete &signal;
    return;
  }
  signal.signal.slot().emplace<nobody<1>>();  // in the memory that is there
  ++signal_count_;
  signal.next = signals_;
  signals_ = &signal;
}

}  // namespace brigade::detail
