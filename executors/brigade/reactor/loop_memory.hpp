// Memory that operations on the loop use again and again: Asio's blocks and cancellation signals.
//
// Asio keeps two blocks a thread and gives one up whenever sizes differ, so that even one
// connection that reads and writes allocates. These lists keep as many as were in use at once, up
// to a bound. Of the loop's thread; others go to the heap directly, and may free what came from
// here and the other way round, since every block is a heap block of its own.
#pragma once

#include <cstddef>

#include <brigade/reactor/asio_version.hpp>

#include <asio/cancellation_signal.hpp>

namespace brigade::detail {

class loop_memory {
 public:
  // An operation's signal. Its slot keeps its memory from one operation to the next.
  struct signal_node {
    asio::cancellation_signal signal;
    signal_node* next = nullptr;
  };

  loop_memory() = default;
  loop_memory(const loop_memory&) = delete;
  loop_memory& operator=(const loop_memory&) = delete;
  ~loop_memory();

  [[nodiscard]] void* allocate(std::size_t size);
  void deallocate(void* block, std::size_t size) noexcept;
  [[nodiscard]] signal_node& take_signal();
  // Forgets what is connected to it.
  void give_back(signal_node& signal) noexcept;

  // The same for other threads.
  [[nodiscard]] static void* allocate_elsewhere(std::size_t size);
  static void deallocate_elsewhere(void* block) noexcept;

 private:
  // Most operations of sockets and timers take 100 to 300 bytes, composed ones more.
  static constexpr std::size_t block_bytes = 512;
  static constexpr std::size_t most_kept = 4096;

  struct free_block {
    free_block* next;
  };

  free_block* blocks_ = nullptr;
  std::size_t block_count_ = 0;
  signal_node* signals_ = nullptr;
  std::size_t signal_count_ = 0;
};

}  // namespace brigade::detail
