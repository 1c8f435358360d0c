// Thread pools behind one face, ours and the rivals': post(f), then drain().
#pragma once

#include <brigade/brigade.hpp>

#include <asio/post.hpp>
#include <asio/thread_pool.hpp>

#include <atomic>
#include <functional>
#include <thread>
#include <utility>
#include <vector>

#if BENCH_TBB
#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/task_arena.h>
#include <oneapi/tbb/task_group.h>
#endif
#if BENCH_MOODYCAMEL
#include <concurrentqueue/blockingconcurrentqueue.h>
#endif

namespace bench {

inline constexpr unsigned workers = 2;

inline brigade::runtime_options our_options() {
  brigade::runtime_options options;
  options.threads.workers = workers;
  options.threads.max_pending = std::size_t{1} << 24;  // rivals have no bound: no submitter waits
  options.loop.max_pending = std::size_t{1} << 24;
  options.loop.blocked_after = std::chrono::hours(1);
  return options;
}

class our_pool {
 public:
  template <class F>
  void post(F&& f) {
    runtime_.post(brigade::threads, std::forward<F>(f));
  }
  void drain() { runtime_.shutdown(); }

 private:
  brigade::runtime runtime_{our_options()};
};

class asio_pool {
 public:
  template <class F>
  void post(F&& f) {
    asio::post(pool_, std::forward<F>(f));
  }
  void drain() { pool_.join(); }

 private:
  asio::thread_pool pool_{workers};
};

#if BENCH_TBB
// As many threads of its own as the others have, beside the one that submits.
class tbb_pool {
 public:
  template <class F>
  void post(F&& f) {
    arena_.enqueue(group_.defer(std::forward<F>(f)));
  }
  void drain() {
    arena_.execute([this] { group_.wait(); });
  }

 private:
  tbb::global_control limit_{tbb::global_control::max_allowed_parallelism, workers + 1};
  tbb::task_arena arena_{workers, 0};
  tbb::task_group group_;
};

// Tasks that spawn tasks, in TBB's own way.
class tbb_group {
 public:
  template <class F>
  void post(F&& f) {
    group_.run(std::forward<F>(f));
  }
  void drain() { group_.wait(); }

 private:
  tbb::global_control limit_{tbb::global_control::max_allowed_parallelism, workers};
  tbb::task_group group_;
};
#endif

#if BENCH_MOODYCAMEL
// The queue with the simplest pool around it.
class moodycamel_pool {
 public:
  moodycamel_pool() {
    for (unsigned index = 0; index < workers; ++index) {
      threads_.emplace_back([this] {
        std::function<void()> task;
        for (;;) {
          queue_.wait_dequeue(task);
          if (!task) return;
          task();
        }
      });
    }
  }
  template <class F>
  void post(F&& f) {
    queue_.enqueue(std::function<void()>(std::forward<F>(f)));
  }
  // What one thread has posted stays in order, so the ends come last.
  void drain() {
    for (unsigned index = 0; index < workers; ++index)
      queue_.enqueue({});
    for (std::thread& each : threads_)
      each.join();
  }

 private:
  moodycamel::BlockingConcurrentQueue<std::function<void()>> queue_;
  std::vector<std::thread> threads_;
};
#endif

}  // namespace bench
