// A running coroutine task as its executor sees it: one chain of frames with one leaf.
//
// Frames never resume each other. Each hands the next handle to the trampoline below it on the
// stack, so the stack stays flat however many awaits complete at once, in every build: compilers
// turn symmetric transfer into a jump only when they optimise and no sanitizer is on.
//
// One wait at a time, guarded by a small lock: a wait registers itself with its source (a timer, a
// future, an Asio operation) while it holds the lock, so that a cancellation from any thread finds
// either no wait or one that is fully registered, and never one whose frame is gone.
#pragma once

#include <coroutine>
#include <mutex>
#include <utility>

#include <brigade/sync/small_mutex.hpp>
#include <brigade/work/executor.hpp>
#include <brigade/work/work_item.hpp>

namespace brigade::detail {

class job_state;
class coroutine_root;

// One suspended wait, embedded in the awaiter and so in the frame.
class wait_node {
 public:
  wait_node() = default;
  wait_node(const wait_node&) = delete;
  wait_node& operator=(const wait_node&) = delete;

  // Withdraws the wait from its source. Returns false when the source has already decided to
  // resume; otherwise the caller resumes. Runs under the root's lock: no waiting, no resuming.
  virtual bool withdraw() noexcept = 0;
  // The job whose outcome it waits for; null when it waits for something else.
  [[nodiscard]] virtual job_state* awaited() const noexcept { return nullptr; }

  [[nodiscard]] bool cancelled() const noexcept { return cancelled_; }

 protected:
  ~wait_node() = default;

 private:
  friend class coroutine_root;
  bool suspended_ = false;
  bool cancelled_ = false;
};

// The link between a frame being resumed and the loop that resumes it.
struct trampoline {
  std::coroutine_handle<> next;
  bool finished = false;  // the outermost frame is at its end
};

class coroutine_root : private work_item {  // the item resumes the suspended leaf
 public:
  coroutine_root() noexcept;
  coroutine_root(const coroutine_root&) = delete;
  coroutine_root& operator=(const coroutine_root&) = delete;

  // Runs `first` and what it leads to on the calling worker, until the chain suspends or ends.
  // `job` is told when it ends. `home` is where it resumes from then on.
  void start(job_state& job, executor& home, std::coroutine_handle<> first) noexcept;

  // Called by frames while they run.
  void run_next(std::coroutine_handle<> next) noexcept { trampoline_->next = next; }
  void finished() noexcept { trampoline_->finished = true; }

  // Suspends `leaf` on `node`. `register_with_source` runs under the lock and returns false when
  // there is nothing to wait for; from its success on the source may resume the coroutine on
  // another thread, so the caller touches nothing afterwards. Returns what await_suspend returns:
  // false to go on at once. A pending cancellation cancels the node instead.
  template <class Register>
  bool suspend(std::coroutine_handle<> leaf, wait_node& node, Register&& register_with_source) {
    note_suspension();
    const std::lock_guard lock(mutex_);
    if (std::exchange(cancel_pending_, false)) {
      node.cancelled_ = true;
      return false;
    }
    leaf_ = leaf;
    waiting_ = &node;
    node.suspended_ = true;
    bool registered = false;
    try {
      registered = register_with_source();
    } catch (...) {
      waiting_ = nullptr;
      node.suspended_ = false;
      throw;
    }
    if (registered) return true;
    waiting_ = nullptr;
    node.suspended_ = false;
    return false;
  }

  // First thing in await_resume of a wait. After it no cancellation can reach the node.
  void end_wait(wait_node& node) noexcept {
    if (!node.suspended_) return;
    const std::lock_guard lock(mutex_);
    waiting_ = nullptr;
  }

  // Queues the suspended leaf on its home. From any thread; exactly once per suspension.
  void resume() noexcept { home_->post(*this); }
  // Runs the suspended leaf right here. Only on a worker of home().
  void resume_here() noexcept;

  // Moves the coroutine: it suspends and resumes on `target`. Only from the running coroutine.
  void move_to(executor& target, std::coroutine_handle<> leaf) noexcept;
  // Suspends and goes to the end of its home's queue. Only from the running coroutine.
  void requeue(std::coroutine_handle<> leaf) noexcept;

  // Cancels the current wait, or the next one when none is going on. From any thread.
  void cancel() noexcept;
  // The same, on a thread where a wait of a coroutine that lives on `home` may be withdrawn (see
  // executor::cancel_wait). Returns false, with nothing done, when it has moved elsewhere.
  [[nodiscard]] bool cancel_here(const executor& home) noexcept;
  // The job that the suspended coroutine waits for, with one reference for the caller; null when
  // there is none. From any thread.
  [[nodiscard]] job_state* share_awaited() noexcept;

  // Takes back a cancellation that a wait could not deliver at once, because the wait has ended as
  // cancelled after all. Returns whether there was one. Only from the running coroutine.
  bool take_pending_cancel() noexcept {
    const std::lock_guard lock(mutex_);
    return std::exchange(cancel_pending_, false);
  }

  // Whether that is the address of this object or of the item that resumes it.
  [[nodiscard]] bool is_at(const void* address) const noexcept {
    return address == this || address == static_cast<const work_item*>(this);
  }

  // Where the coroutine lives. Only from the running coroutine or under register_with_source.
  [[nodiscard]] executor& home() const noexcept { return *home_; }
  [[nodiscard]] job_state& job() const noexcept { return *job_; }

 private:
  void run(std::coroutine_handle<> next) noexcept;
  void note_suspension() noexcept;
  void withdraw_locked() noexcept;

  small_mutex mutex_;
  bool cancel_pending_ = false;
  wait_node* waiting_ = nullptr;
  std::coroutine_handle<> leaf_;
  trampoline* trampoline_ = nullptr;
  executor* home_ = nullptr;
  job_state* job_ = nullptr;
};

}  // namespace brigade::detail
