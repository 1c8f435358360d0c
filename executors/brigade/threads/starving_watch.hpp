// Notices that work waits while no worker takes any: all are blocked, or too few for long tasks.
//
// It looks from the runtime's timer thread: every `limit` while the pool is in use, never while it
// is idle (the last look finds it idle and is not repeated; a worker that wakes up starts anew).
// What waits at two looks that are `limit` apart, between which no worker looked for work, is
// reported, once. Tasks pay nothing for it: the workers count their turns anyway.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>

#include <brigade/sync/timer_heap.hpp>
#include <brigade/work/dispatcher.hpp>

namespace brigade::detail {

// What is watched.
class starving_source {
 public:
  struct look {
    bool idle = false;        // no worker has anything to do
    std::uint64_t moved = 0;  // another number as soon as a worker took something
    // Since when something waits, as far as that is known; else the highest value.
    clock::time_point oldest = clock::time_point::max();
    starving_queue queue = {};  // all but how old
  };
  [[nodiscard]] virtual look look_at_queue() noexcept = 0;

 protected:
  ~starving_source() = default;
};

class starving_watch {
 public:
  // A limit of zero watches nothing, nor does one without a hook to tell.
  starving_watch(dispatcher& owner, starving_source& source, std::chrono::milliseconds limit);
  starving_watch(const starving_watch&) = delete;
  starving_watch& operator=(const starving_watch&) = delete;
  // Precondition: stop() was called, or start() never.
  ~starving_watch() = default;

  // A worker wakes up. Without the pool's mutex.
  void start() noexcept;
  // No look is going on or will come, once this has returned. Nor may start() be called any more.
  void stop() noexcept;

 private:
  struct timer : timer_node {
    starving_watch* self = nullptr;
  };

  void look_now() noexcept;
  // Whether to report, and when to look again; under the mutex.
  [[nodiscard]] bool inspect(const starving_source::look& seen, clock::time_point now,
                             clock::time_point& again) noexcept;
  void look_at(clock::time_point when) noexcept;

  dispatcher& owner_;
  starving_source& source_;
  const std::chrono::milliseconds limit_;
  std::atomic<bool> watched_{false};  // a look will come
  std::mutex mutex_;                  // held while a look goes on; guards what follows
  timer look_;
  bool pending_ = false;  // a look will come, or waits for the mutex
  bool stopped_ = false;
  std::condition_variable looked_;
  std::uint64_t moved_ = 0;    // at the last look
  clock::time_point since_{};  // the first look at which that was so and work waited
  bool waiting_ = false;       // there was such a look
  bool reported_ = false;
};

}  // namespace brigade::detail
