// What the thread pool keeps of one of its threads.
//
// A slot: it outlives the threads that use it in turn. The pool owns all of them from its
// construction on, so that thieves may look into any.
#pragma once

#include <atomic>
#include <cstdint>
#include <thread>

#include <brigade/threads/work_deque.hpp>

namespace brigade::detail {

class job_state;

// A task that waits on the stack of its thread while other code runs above it, or while it sleeps.
struct wait_frame {
  job_state* const waiting;  // null: a hook
  job_state* const awaited;
  const wait_frame* const below;
};

struct worker {
  explicit worker(unsigned at) noexcept : index(at) {}

  const unsigned index;
  work_deque deque;

  // Written by the thread itself: how often it has looked for work.
  std::atomic<unsigned> turn{0};

  // Only the thread itself.
  const wait_frame* waits = nullptr;  // the topmost
  unsigned depth = 0;                 // of tasks that run above a waiting one

  // Set to 1 under the pool's mutex by whoever takes the worker out of a list of sleepers.
  alignas(64) std::atomic<std::uint32_t> signal{0};

  // Under the pool's mutex.
  bool alive = false;
  bool ending = false;    // it has decided to end, though it is still alive
  bool retiring = false;  // a resize has made it one too many: it does not linger
  int tid = 0;            // 0: it is still starting
  std::thread thread;
  std::thread previous;  // has ended or is about to; joined by its successor
};

}  // namespace brigade::detail
