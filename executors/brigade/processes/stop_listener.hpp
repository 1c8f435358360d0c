// In a worker process: turns the host's request to stop into a signalled std::stop_token.
//
// The thread that listens is started by the first call that takes a stop token (or is a
// coroutine); a worker that runs none stays single-threaded.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <stop_token>
#include <thread>

#include <brigade/wire/worker_lane.hpp>

namespace brigade::detail {

class stop_listener {
 public:
  explicit stop_listener(const wire::worker_lane& lane) noexcept : lane_(&lane) {}
  stop_listener(const stop_listener&) = delete;
  stop_listener& operator=(const stop_listener&) = delete;
  ~stop_listener();

  // The token of `call`, until end_call(). Throws std::system_error when no thread can be made.
  [[nodiscard]] std::stop_token begin_call(std::uint64_t call);
  void end_call() noexcept;

 private:
  void listen() noexcept;
  void stop_if_asked();

  const wire::worker_lane* lane_;
  std::mutex mutex_;
  std::uint64_t call_ = 0;
  std::stop_source source_{std::nostopstate};
  std::atomic<bool> ending_{false};
  std::thread thread_;
};

}  // namespace brigade::detail
