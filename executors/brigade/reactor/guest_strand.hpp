// Where the coroutine of an asio::awaitable runs when it is a task: on the workers of the executor
// that it was submitted to, one at a time.
//
// Asio lets a coroutine's completions, its cancellation and its parallel branches meet only in its
// executor, so that must not run two of them at once. On the loop that is so anyway; on a pool the
// strand makes it so. It also says whose code runs: current(), submit() and the rest work in it.
// Owned by reference count: the task has one, every copy of the executor has one.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>
#include <type_traits>
#include <utility>

#include <brigade/reactor/asio_version.hpp>

#include <asio/execution/blocking.hpp>
#include <asio/execution/context.hpp>
#include <asio/io_context.hpp>

#include <brigade/reactor/reactor.hpp>
#include <brigade/sync/small_mutex.hpp>
#include <brigade/work/executor.hpp>
#include <brigade/work/job_state.hpp>
#include <brigade/work/work_item.hpp>

namespace brigade::detail {

class guest_strand final : private work_item {
 public:
  // With one reference. `home` is where it runs.
  guest_strand(job_state& job, executor& home, reactor& io) noexcept;
  guest_strand(const guest_strand&) = delete;
  guest_strand& operator=(const guest_strand&) = delete;

  void retain() noexcept { references_.fetch_add(1, std::memory_order_relaxed); }  // has one
  void release() noexcept;

  // From any thread.
  void post(work_item& item) noexcept;
  [[nodiscard]] bool runs_here() const noexcept;
  [[nodiscard]] asio::io_context& context() const noexcept { return io_.context(); }
  // What a function threw that ran here.
  void report(std::exception_ptr error) const noexcept;

 private:
  ~guest_strand() = default;
  void run() noexcept;

  std::atomic<std::uint32_t> references_{1};
  std::atomic<std::thread::id> runner_{};
  job_ref<job_state> job_;
  executor& home_;
  reactor& io_;
  small_mutex mutex_;  // guards what follows
  bool scheduled_ = false;
  work_item* first_ = nullptr;
  work_item* last_ = nullptr;
};

// The strand as an Asio executor.
class guest_executor {
 public:
  // Adds a reference.
  explicit guest_executor(guest_strand& strand) noexcept : strand_(&strand) { strand.retain(); }
  guest_executor(const guest_executor& other) noexcept
      : strand_(other.strand_), inline_(other.inline_) {
    strand_->retain();
  }
  guest_executor& operator=(const guest_executor& other) noexcept {
    guest_executor copy(other);
    std::swap(strand_, copy.strand_);
    inline_ = copy.inline_;
    return *this;
  }
  ~guest_executor() { strand_->release(); }

  [[nodiscard]] asio::io_context& query(asio::execution::context_t) const noexcept {
    return strand_->context();
  }
  [[nodiscard]] asio::execution::blocking_t query(asio::execution::blocking_t) const noexcept {
    if (inline_) return asio::execution::blocking.possibly;
    return asio::execution::blocking.never;
  }
  [[nodiscard]] guest_executor require(asio::execution::blocking_t::possibly_t) const noexcept {
    return {*strand_, true};
  }
  [[nodiscard]] guest_executor require(asio::execution::blocking_t::never_t) const noexcept {
    return {*strand_, false};
  }

  template <class Function>
  void execute(Function&& function) const {
    using stored = std::decay_t<Function>;
    if (inline_ && strand_->runs_here()) {
      stored call(std::forward<Function>(function));
      call();
    } else {
      strand_->post(*new function_item<stored>(*strand_, std::forward<Function>(function)));
    }
  }

  friend bool operator==(const guest_executor& a, const guest_executor& b) noexcept {
    return a.strand_ == b.strand_ && a.inline_ == b.inline_;
  }
  friend bool operator!=(const guest_executor& a, const guest_executor& b) noexcept {
    return !(a == b);
  }

 private:
  guest_executor(guest_strand& strand, bool may_run_inline) noexcept
      : strand_(&strand), inline_(may_run_inline) {
    strand.retain();
  }

  template <class Function>
  struct function_item : work_item {
    template <class F>
    function_item(guest_strand& strand, F&& f) : where(&strand), call(std::forward<F>(f)) {
      act = [](work_item& item, item_action) noexcept {
        const std::unique_ptr<function_item> self(static_cast<function_item*>(&item));
        guest_strand& where = *self->where;  // runs this, so it is there
        try {
          Function call(std::move(self->call));
          call();
        } catch (...) {
          where.report(std::current_exception());
        }
      };
    }
    guest_strand* where;
    Function call;
  };

  guest_strand* strand_;
  bool inline_ = true;
};

}  // namespace brigade::detail
