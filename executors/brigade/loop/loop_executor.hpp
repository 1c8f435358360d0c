// The `loop` executor: one thread that runs a reactor, for thousands of waits at once.
//
// Owned by the runtime. The thread starts with the first item and ends in join(). A coroutine gives
// the thread back while it waits; a plain function blocks it, which is reported.
#pragma once

#include <atomic>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include <brigade/loop/blocked_watch.hpp>
#include <brigade/loop/options.hpp>
#include <brigade/reactor/reactor.hpp>
#include <brigade/work/executor.hpp>

namespace brigade::detail {

class loop_executor final : public executor, private reactor_host {
 public:
  // Gives the dispatcher its reactor. Throws std::invalid_argument when the
  // thread may not run on `options.cpu`.
  loop_executor(loop_options options, dispatcher& owner);
  ~loop_executor() override;

  void post(work_item& item) noexcept override;
  void cancel_wait(coroutine_root& root) noexcept override;
  // On the loop's thread, as all that concerns its timers.
  void add_timer(timer_node& node, clock::time_point deadline) override;
  bool cancel_timer(timer_node& node) noexcept override;
  void discard_queued() noexcept override { reactor_.discard_queued(); }
  void join() noexcept override;

  [[nodiscard]] unsigned worker_count() const noexcept override;
  [[nodiscard]] std::vector<worker_info> workers() const override;

 private:
  enum class state : unsigned char { fresh, running, joined };

  void ensure_running() noexcept override;
  void watch() noexcept override { watch_.start(); }
  // Throws std::system_error.
  void start();
  void run() noexcept;
  void refuse(work_item& item) noexcept;

  const loop_options options_;
  reactor reactor_;
  blocked_watch watch_;
  std::mutex joining_;        // taken before mutex_
  mutable std::mutex mutex_;  // guards what follows
  std::atomic<state> state_{state::fresh};
  worker_info info_;
  std::thread thread_;
};

}  // namespace brigade::detail
