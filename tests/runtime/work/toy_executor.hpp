// The smallest executor that keeps the promises of the interface, and a runtime of three of them,
// so that the rooms of the runtime can be tested without the real executors above them.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include <brigade/work/context.hpp>
#include <brigade/work/dispatcher.hpp>
#include <brigade/work/executor.hpp>
#include <brigade/work/submit.hpp>

namespace brigade::testing {

// A few threads behind one queue, first in first out.
class toy_executor final : public detail::executor {
 public:
  toy_executor(executor_kind kind, detail::dispatcher& owner, unsigned threads)
      : executor(kind, owner) {
    owner.attach(*this);
    for (unsigned index = 0; index < threads; ++index) {
      threads_.emplace_back([this, index] {
        const detail::worker_scope scope(*this, index);
        run();
      });
    }
  }
  ~toy_executor() override { join(); }

  void post(detail::work_item& item) noexcept override {
    {
      const std::lock_guard lock(mutex_);
      queue_.push_back(&item);
    }
    changed_.notify_one();
  }
  void discard_queued() noexcept override {
    const std::lock_guard lock(mutex_);
    discards_ = true;
  }
  void join() noexcept override {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
    for (std::thread& each : threads_) {
      if (each.joinable()) each.join();
    }
  }
  [[nodiscard]] unsigned worker_count() const noexcept override {
    return static_cast<unsigned>(threads_.size());
  }
  [[nodiscard]] std::vector<worker_info> workers() const override { return {}; }

 private:
  void run() {
    std::unique_lock lock(mutex_);
    for (;;) {
      changed_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
      if (queue_.empty()) return;
      detail::work_item* const item = queue_.front();
      queue_.pop_front();
      const auto action = discards_ ? detail::item_action::discard : detail::item_action::run;
      lock.unlock();
      item->act(*item, action);
      lock.lock();
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<detail::work_item*> queue_;
  bool stopping_ = false;
  bool discards_ = false;
  std::vector<std::thread> threads_;
};

[[nodiscard]] inline std::array<detail::queue_policy, all_executors.size()> same_policy(
    detail::queue_policy policy) {
  std::array<detail::queue_policy, all_executors.size()> policies;
  policies.fill(policy);
  return policies;
}

struct toy_core {
  detail::dispatcher core;  // before the submitter that refers to it
};

// A runtime of one thread for loop, `workers` for threads and one for processes.
class toy_runtime : private toy_core, public submitter {
 public:
  explicit toy_runtime(brigade::hooks hooks = {}, detail::queue_policy policy = {},
                       unsigned workers = 2)
      : toy_core{{std::move(hooks), same_policy(policy)}},
        submitter(core),
        loop_(executor_kind::loop, core, 1),
        threads_(executor_kind::threads, core, workers),
        processes_(executor_kind::processes, core, 1) {}
  ~toy_runtime() {
    core.shutdown(shutdown_mode::drain, std::nullopt);
    // All, before one is destroyed: the end of a task on one may still be posting to another.
    for (toy_executor* const each : {&loop_, &threads_, &processes_}) each->join();
  }

  using toy_core::core;
  bool shutdown(shutdown_mode mode, std::optional<std::chrono::nanoseconds> limit = std::nullopt) {
    return core.shutdown(mode, limit);
  }
  [[nodiscard]] executor_stats stats(executor_kind of) const noexcept { return core.stats(of); }

 private:
  toy_executor loop_;
  toy_executor threads_;
  toy_executor processes_;
};

// What the error hook was told.
class error_log {
 public:
  [[nodiscard]] brigade::hooks hooks() {
    brigade::hooks result;
    result.on_error = [this](const task_identity&, std::exception_ptr) { ++count_; };
    return result;
  }
  [[nodiscard]] int count() const { return count_; }

 private:
  std::atomic<int> count_{0};
};

// Keeps tasks on their worker until it is opened.
class barrier_gate {
 public:
  void open() {
    open_.store(true, std::memory_order_release);
    open_.notify_all();
  }
  void pass() const { open_.wait(false, std::memory_order_acquire); }

 private:
  std::atomic<bool> open_{false};
};

}  // namespace brigade::testing
