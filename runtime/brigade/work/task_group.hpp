// task_group: tasks that begin together and end together.
//
//   task_group group(rt);
//   group.run(threads, work, 1);  group.run(loop, fetch, url);
//   group.wait();                       // or, in a task: co_await group.join();
// The first failure asks the others to stop; wait and join end when all have ended and then throw
// it. Tasks of the group may run more tasks in it. The destructor cancels what is still going and
// does not block. Thread-safe.
#pragma once

#include <cstddef>
#include <exception>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include <brigade/work/future.hpp>
#include <brigade/work/submit.hpp>
#include <brigade/work/watch.hpp>

namespace brigade {

class task_group {
 public:
  explicit task_group(submitter to) : to_(to), shared_(std::make_shared<shared>()) {}
  // Inside a task: a group of its runtime.
  task_group() : task_group(submitter(detail::this_dispatcher())) {}
  task_group(const task_group&) = delete;
  task_group& operator=(const task_group&) = delete;
  ~task_group() { cancel(); }

  // As submit, but the group takes the future. Results are dropped; failures are kept.
  template <class Where, class F, class... Args>
    requires std::is_convertible_v<Where, executor_kind>
  void run(Where where, F&& callable, Args&&... args) {
    watch(to_.submit(where, std::forward<F>(callable), std::forward<Args>(args)...));
  }
  template <class F, class... Args>
  void run(submit_options options, F&& callable, Args&&... args) {
    watch(to_.submit(std::move(options), std::forward<F>(callable), std::forward<Args>(args)...));
  }

  // Asks every task of the group that has not ended to stop.
  void cancel() noexcept { shared_->cancel_all(); }

  void wait() { join().get(); }

  // Ready when all tasks have ended; throws the first failure. More tasks may be run afterwards.
  [[nodiscard]] future<void> join() {
    detail::job_ref<waiter> made(new waiter(&to_.target()));
    bool idle = false;
    std::exception_ptr error;
    {
      const std::lock_guard lock(shared_->mutex);
      idle = shared_->running.empty();
      if (idle) {
        error = std::exchange(shared_->first_error, nullptr);
      } else {
        for (const auto& job : shared_->running) made->add_dependency(*job);
        shared_->waiting.push_back(made);
      }
    }
    if (idle) complete(*made, std::move(error));
    return detail::future_access::make(detail::job_ref<detail::state_of<void>>(made.take()));
  }

  [[nodiscard]] std::size_t running() const {
    const std::lock_guard lock(shared_->mutex);
    return shared_->running.size();
  }

 private:
  using waiter = detail::hand_state<void>;

  struct shared {
    mutable std::mutex mutex;
    std::vector<detail::job_ref<detail::job_state>> running;
    std::vector<detail::job_ref<waiter>> waiting;
    std::exception_ptr first_error;

    void cancel_all() noexcept {
      std::vector<detail::job_ref<detail::job_state>> targets;
      {
        const std::lock_guard lock(mutex);
        targets = running;
      }
      for (const auto& job : targets) job->cancel();  // outside: it may end them
    }
  };

  static void complete(waiter& waiting, std::exception_ptr error) noexcept {
    if (error) {
      waiting.fail(std::move(error));
    } else {
      waiting.succeed({});
    }
  }

  template <class R>
  void watch(future<R> started) {
    auto state = detail::future_access::take(std::move(started));
    {
      const std::lock_guard lock(shared_->mutex);
      shared_->running.push_back(detail::job_ref<detail::job_state>::share(*state));
    }
    detail::when_ready(std::move(state), [group = shared_](detail::state_of<R>& ended) {
      one_ended(*group, ended, ended.take_error());
    });
  }

  static void one_ended(shared& group, detail::job_state& ended, std::exception_ptr error) {
    std::vector<detail::job_ref<waiter>> waiting;
    std::exception_ptr first;
    bool stop_others = false;
    {
      const std::lock_guard lock(group.mutex);
      std::erase_if(group.running, [&](const auto& job) { return job.get() == &ended; });
      if (error && !group.first_error) {
        // Moved, not copied: the thread that throws it owns it alone.
        group.first_error = std::move(error);
        stop_others = true;
      }
      if (group.running.empty() && !group.waiting.empty()) {
        waiting = std::exchange(group.waiting, {});
        first = std::exchange(group.first_error, nullptr);
      }
    }
    if (stop_others) group.cancel_all();
    for (const auto& each : waiting) {
      complete(*each, &each == &waiting.back() ? std::move(first) : first);
    }
  }

  submitter to_;
  std::shared_ptr<shared> shared_;
};

}  // namespace brigade
