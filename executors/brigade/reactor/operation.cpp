#include <brigade/reactor/operation.hpp>

#include <stdexcept>

#include <asio/cancellation_type.hpp>

#include <brigade/base/error.hpp>
#include <brigade/reactor/foreign_hold.hpp>
#include <brigade/work/dispatcher.hpp>
#include <brigade/work/job_state.hpp>

namespace brigade::detail {

operation::operation() noexcept {
  start_.self = this;
  start_.act = [](work_item& item, item_action) noexcept {
    operation& self = *static_cast<back_item&>(item).self;
    if (self.io_->on_loop()) self.io_->note_running(self.root_);
    if (!self.start()) self.io_->resume(*self.root_);
  };
  cancel_.self = this;
  cancel_.level = priority::high;
  cancel_.act = [](work_item& item, item_action) noexcept {
    static_cast<back_item&>(item).self->cancel_in_context();
  };
}

void operation::belong_to(coroutine_root& root) {
  root_ = &root;
  io_ = root.job().owner()->io();
  if (io_ == nullptr) {
    throw std::logic_error("brigade: this runtime has no event loop, which Asio's operations need");
  }
  start_.level = root.job().level;
  io_->host().ensure_running();  // a guest may start on a pool before anybody used the loop
}

bool operation::start() noexcept {
  if (cancel_came_) {
    never_started_ = true;
    // relaxed: nobody else holds it but the waiting coroutine, which this thread resumes.
    state_.fetch_sub(one_hold, std::memory_order_relaxed);
  } else {
    try {
      signal_ = io_->on_loop() ? &io_->memory().take_signal() : new loop_memory::signal_node;
      initiate();
    } catch (...) {
      failure_ = std::current_exception();
      // The handler, if there was one, has been destroyed, and so abandoned() called.
      if (signal_ == nullptr) state_.fetch_sub(one_hold, std::memory_order_relaxed);
    }
  }
  return !release();
}

void operation::completed() noexcept {
  // acq_rel, as in release(), and `ended` for withdraw() and cancel_in_context().
  const std::uint32_t before =
      state_.fetch_add(std::uint32_t{ended} - one_hold, std::memory_order_acq_rel);
  if ((before & all_holds) != one_hold) return;
  const foreign_hold hold(*root_->job().owner());  // the task waits for what follows
  give_signal_back();
  io_->resume(*root_);
}

void operation::abandoned() noexcept {
  abandoned_ = true;
  completed();
}

bool operation::release() noexcept {
  // acq_rel: the last one sees what the others wrote before they let go.
  const bool last =
      (state_.fetch_sub(one_hold, std::memory_order_acq_rel) & all_holds) == one_hold;
  if (last) give_signal_back();
  return last;
}

// By the last one, not by the handler: an emission may have called that.
void operation::give_signal_back() noexcept {
  if (signal_ == nullptr) return;
  if (io_->on_loop()) {
    io_->memory().give_back(*signal_);
  } else {
    delete signal_;
  }
}

bool operation::withdraw() noexcept {
  // Under the root's lock, so the wait goes on and the frame exists. relaxed: nothing is read.
  std::uint32_t state = state_.load(std::memory_order_relaxed);
  do {
    if ((state & (ended | asked)) != 0) return false;
    // acq_rel: the cancellation comes after whatever asked for it.
  } while (!state_.compare_exchange_weak(state, (state + one_hold) | asked,
                                         std::memory_order_acq_rel, std::memory_order_relaxed));
  enter(cancel_);
  return false;  // the operation resumes by itself, as cancelled or not
}

void operation::cancel_in_context() noexcept {
  // acquire: pairs with completed(), in case that ran elsewhere.
  if ((state_.load(std::memory_order_acquire) & ended) == 0) {
    if (signal_ != nullptr) {
      signal_->signal.emit(asio::cancellation_type::terminal);
    } else {
      cancel_came_ = true;
    }
  }
  if (release()) io_->resume(*root_);
}

bool operation::was_asked() const noexcept {
  return (state_.load(std::memory_order_relaxed) & asked) != 0;  // own coroutine's, long decided
}

void operation::throw_cancelled() {
  if (was_asked()) root_->take_pending_cancel();  // delivered by this exception
  const task_identity task = root_->job().identity();
  throw task_cancelled(describe(task) + " was cancelled while it waited for an operation of Asio",
                       task);
}

void operation::finish() {
  root_->end_wait(*this);
  if (cancelled() || never_started_) throw_cancelled();
  if (failure_) std::rethrow_exception(failure_);
  if (abandoned_) check(std::error_code(asio::error::operation_aborted));
}

void operation::check(const std::error_code& failure) {
  if (!failure) return;
  if (failure == asio::error::operation_aborted && was_asked()) throw_cancelled();
  throw std::system_error(failure);
}

void operation::check(const std::exception_ptr& failure) {
  if (!failure) return;
  if (was_asked()) {
    try {
      std::rethrow_exception(failure);
    } catch (const std::system_error& error) {
      if (error.code() == asio::error::operation_aborted) throw_cancelled();
    } catch (...) {
    }
  }
  std::rethrow_exception(failure);
}

}  // namespace brigade::detail
