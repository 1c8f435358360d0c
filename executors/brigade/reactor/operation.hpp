// A coroutine's wait for something that Asio does, started and cancelled where Asio wants that.
//
// Two kinds: any operation through use_task, which belongs to the loop's thread, and the coroutine
// of asio::awaitable, which belongs to its strand. Whatever it is, it is begun, ends and is
// cancelled in one place, its context; the waiting coroutine may live on another thread.
//
// Asio may complete an operation while its start has not returned yet, and a cancellation may be on
// its way to the context when the operation ends. All of them use this object, which lies in the
// frame of the waiting coroutine. So each takes a hold, and whoever gives back the last one resumes
// the coroutine: starting and completing have a hold from the beginning, a cancellation takes one.
#pragma once

#include <atomic>
#include <coroutine>
#include <cstdint>
#include <exception>
#include <system_error>
#include <utility>

#include <brigade/reactor/asio_version.hpp>

#include <asio/cancellation_signal.hpp>
#include <asio/error.hpp>

#include <brigade/reactor/loop_memory.hpp>
#include <brigade/reactor/reactor.hpp>
#include <brigade/work/coroutine_root.hpp>
#include <brigade/work/work_item.hpp>

namespace brigade::detail {

class operation : public wait_node {
 public:
  bool withdraw() noexcept final;

  [[nodiscard]] reactor& io() const noexcept { return *io_; }
  [[nodiscard]] asio::cancellation_slot slot() noexcept { return signal_->signal.slot(); }
  // The handler was called, with the results stored; or destroyed without.
  void completed() noexcept;
  void abandoned() noexcept;

 protected:
  operation() noexcept;
  ~operation() = default;

  // In the context: starts it. What it throws is what the wait throws.
  virtual void initiate() = 0;
  // Queues an item for the context.
  virtual void enter(work_item& item) noexcept = 0;

  // For await_suspend and await_resume. First belong_to(), then suspend(), then one of the starts.
  void belong_to(coroutine_root& root);
  [[nodiscard]] bool suspend(std::coroutine_handle<> frame) {
    return root_->suspend(frame, *this, [] { return true; });
  }
  // Once suspended. In the context: returns whether it stays suspended.
  [[nodiscard]] bool start() noexcept;
  // Once suspended. Anywhere; afterwards this object may be gone.
  void start_in_context() noexcept { enter(start_); }
  // Throws unless the operation has completed with results.
  void finish();
  // Throws what the operation failed with: task_cancelled if that is because of our cancellation.
  void check(const std::error_code& failure);
  void check(const std::exception_ptr& failure);

 private:
  enum bits : std::uint32_t { one_hold = 1, all_holds = 0xff, ended = 0x100, asked = 0x200 };
  struct back_item : work_item {
    operation* self;
  };

  void cancel_in_context() noexcept;
  // True for the last one, who resumes.
  [[nodiscard]] bool release() noexcept;
  void give_signal_back() noexcept;
  [[nodiscard]] bool was_asked() const noexcept;
  [[noreturn]] void throw_cancelled();

  std::atomic<std::uint32_t> state_{2 * one_hold};
  bool cancel_came_ = false;  // before the start
  bool never_started_ = false;
  bool abandoned_ = false;
  coroutine_root* root_ = nullptr;
  reactor* io_ = nullptr;
  loop_memory::signal_node* signal_ = nullptr;  // from the start to the last hold
  std::exception_ptr failure_;  // of initiate()
  back_item start_;
  back_item cancel_;
};

// The loop's memory for the operations that it starts.
template <class T>
class operation_allocator {
 public:
  using value_type = T;

  explicit operation_allocator(reactor& io) noexcept : io_(&io) {}
  template <class U>
  operation_allocator(const operation_allocator<U>& other) noexcept : io_(&other.io()) {}

  [[nodiscard]] T* allocate(std::size_t count) const {
    static_assert(alignof(T) <= __STDCPP_DEFAULT_NEW_ALIGNMENT__);
    const std::size_t size = count * sizeof(T);
    return static_cast<T*>(io_->on_loop() ? io_->memory().allocate(size)
                                          : loop_memory::allocate_elsewhere(size));
  }
  void deallocate(T* block, std::size_t count) const noexcept {
    if (io_->on_loop()) {
      io_->memory().deallocate(block, count * sizeof(T));
    } else {
      loop_memory::deallocate_elsewhere(block);
    }
  }

  [[nodiscard]] reactor& io() const noexcept { return *io_; }
  template <class U>
  bool operator==(const operation_allocator<U>& other) const noexcept {
    return io_ == &other.io();
  }

 private:
  reactor* io_;
};

// What Asio is given to call. Operation has deliver(results...).
template <class Operation>
class operation_handler {
 public:
  using cancellation_slot_type = asio::cancellation_slot;
  using allocator_type = operation_allocator<void>;

  explicit operation_handler(Operation& to) noexcept : to_(&to), io_(&to.io()) {}
  operation_handler(operation_handler&& other) noexcept
      : to_(std::exchange(other.to_, nullptr)), io_(other.io_) {}
  operation_handler& operator=(operation_handler&&) = delete;
  ~operation_handler() {
    if (to_ != nullptr) to_->abandoned();
  }

  template <class... Results>
  void operator()(Results&&... results) {
    Operation& to = *std::exchange(to_, nullptr);
    to.deliver(std::forward<Results>(results)...);
    to.completed();
  }

  [[nodiscard]] cancellation_slot_type get_cancellation_slot() const noexcept {
    return to_->slot();
  }
  // Asio asks for these even of a handler that it has moved from.
  [[nodiscard]] allocator_type get_allocator() const noexcept { return allocator_type(*io_); }
  [[nodiscard]] reactor& io() const noexcept { return *io_; }

 private:
  Operation* to_;
  reactor* io_;
};

}  // namespace brigade::detail
