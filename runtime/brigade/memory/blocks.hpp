// Small blocks that are used again: what tasks and the frames of their coroutines live in.
//
// A task is often made on one thread and ends on another, for which a general allocator pays with a
// contended lock. Here each thread keeps two magazines of blocks per size and trades whole
// magazines with a depot of the process, so that the depot's lock is taken once in a few dozen
// blocks. What is larger than 1 KiB, or more than the depot holds, goes to the heap. Under the
// address and thread sanitizers everything does.
//
// The depot belongs to the process, like the heap: a future may outlive its runtime, and its block
// the thread that made it. Source: Bonwick and Adams, "Magazines and Vmem" (2001).
#pragma once

#include <cstddef>
#include <new>

namespace brigade::detail {

// Throws std::bad_alloc. Aligned as by operator new.
[[nodiscard]] void* take_block(std::size_t bytes);
// `bytes` as they were asked for. On any thread.
void give_block(void* block, std::size_t bytes) noexcept;

// Base of classes that live in such blocks; their destructor is virtual, or they are final.
struct in_blocks {
  static void* operator new(std::size_t bytes) { return take_block(bytes); }
  static void operator delete(void* block, std::size_t bytes) noexcept { give_block(block, bytes); }
  // What wants more than the usual alignment goes to the heap.
  static void* operator new(std::size_t bytes, std::align_val_t alignment) {
    return ::operator new(bytes, alignment);
  }
  static void operator delete(void* block, std::size_t bytes, std::align_val_t alignment) noexcept {
    ::operator delete(block, bytes, alignment);
  }
};

}  // namespace brigade::detail
