// A runtime of the real loop and the real pool, without processes.
#pragma once

#include <future>
#include <optional>
#include <utility>

#include <brigade/loop/loop_executor.hpp>
#include <brigade/threads/threads_executor.hpp>
#include <brigade/work/context.hpp>
#include <brigade/work/dispatcher.hpp>
#include <brigade/work/sleep.hpp>
#include <brigade/work/submit.hpp>

namespace brigade::testing {

struct small_core {
  explicit small_core(brigade::hooks hooks) : core(std::move(hooks), {}) {}
  detail::dispatcher core;
};

class small_runtime : public small_core, public submitter {
 public:
  explicit small_runtime(loop_options options = {}, brigade::hooks hooks = {})
      : small_core(std::move(hooks)),
        submitter(core),
        event_loop(std::move(options), core),
        crew({.workers = 2}, core) {
    core.attach(event_loop);
    core.attach(crew);
  }
  ~small_runtime() { end(shutdown_mode::drain); }

  void end(shutdown_mode mode) {
    core.shutdown(mode, std::nullopt);
    crew.join();
    event_loop.join();
  }

  detail::loop_executor event_loop;
  detail::threads_executor crew;
};

// Both executors that share this process's memory.
inline constexpr executor_kind both[] = {executor_kind::loop, executor_kind::threads};

// Keeps the loop busy until leave() or its end: what is submitted meanwhile stays queued.
class occupied_loop {
 public:
  explicit occupied_loop(submitter& rt) {
    std::promise<void> entered;
    rt.post(loop, [&entered, left = left_.get_future()]() mutable {
      entered.set_value();
      left.wait();
    });
    entered.get_future().wait();
  }
  ~occupied_loop() { leave(); }

  void leave() {
    if (std::exchange(busy_, false)) left_.set_value();
  }

 private:
  std::promise<void> left_;
  bool busy_ = true;
};

}  // namespace brigade::testing
