#include <brigade/reactor/reactor.hpp>

#include <algorithm>
#include <new>
#include <stdexcept>

#include <asio/executor_work_guard.hpp>
#include <asio/post.hpp>

#include <brigade/os/clock.hpp>
#include <brigade/os/cpu.hpp>
#include <brigade/reactor/async_wait.hpp>
#include <brigade/reactor/io_context.hpp>
#include <brigade/work/dispatcher.hpp>
#include <brigade/work/executor.hpp>
#include <brigade/work/submit.hpp>

namespace brigade::detail {
namespace {

// How long a turn works the queue before Asio may look at the sockets again.
constexpr std::chrono::microseconds slice{50};
constexpr unsigned longest_chunk = 32;
constexpr unsigned timers_at_once = 64;
constexpr unsigned empty_turns = 16;  // about 10 us, a part of what waking a thread costs

// The reactor that this thread runs. Initial-exec: read at every post.
[[gnu::tls_model("initial-exec")]] constinit thread_local const reactor* runs_here = nullptr;

}  // namespace

template <class T>
struct reactor::turn_allocator {
  using value_type = T;
  turn_memory* memory;

  explicit turn_allocator(turn_memory* from) noexcept : memory(from) {}
  template <class U>
  turn_allocator(const turn_allocator<U>& other) noexcept : memory(other.memory) {}

  T* allocate(std::size_t count) {
    static_assert(sizeof(T) <= sizeof(turn_memory));
    if (count != 1) throw std::bad_alloc();
    return reinterpret_cast<T*>(memory->bytes.data());
  }
  void deallocate(T*, std::size_t) noexcept {}
  template <class U>
  bool operator==(const turn_allocator<U>& other) const noexcept {
    return memory == other.memory;
  }
};

struct reactor::turn_handler {
  reactor* self;
  using allocator_type = turn_allocator<void>;
  [[nodiscard]] allocator_type get_allocator() const noexcept {
    return allocator_type(&self->turn_memory_);
  }
  void operator()() const noexcept { self->turn(); }
};

reactor::reactor(dispatcher& owner, reactor_host& host)
    : owner_(owner), host_(host), most_lingers_(os::usable_cpus() > 1 ? empty_turns : 0) {}

reactor::~reactor() = default;

// Never inlined: coroutines move between threads.
[[gnu::noinline]] bool reactor::on_loop() const noexcept { return runs_here == this; }

void reactor::post(work_item& item) noexcept {
  if (on_loop()) {
    queue_.push(item);
    if (inbox_.wake()) schedule();
  } else if (inbox_.push(item)) {
    schedule();
    host_.ensure_running();
  }
}

void reactor::schedule() noexcept { asio::post(io_, turn_handler{this}); }

void reactor::resume(coroutine_root& root) noexcept {
  if (!on_loop() || !root.home().on_worker()) {
    root.resume();
    return;
  }
  const void* const outer = activity_.running.load(std::memory_order_relaxed);
  begin_running(&root, os::coarse_now());
  root.resume_here();
  activity_.running.store(outer, std::memory_order_relaxed);
}

void reactor::add_timer(timer_node& node, clock::time_point deadline) {
  const bool earliest = timers_.add(node, deadline);
  if (earliest && inbox_.wake()) schedule();  // the end of a turn sets the alarm
}

// --- one turn ------------------------------------------------------------------------------------

void reactor::begin_running(const void* what, clock::time_point now) noexcept {
  // relaxed: one writer; the watcher compares, it reads nothing else through these.
  activity_.count.store(activity_.count.load(std::memory_order_relaxed) + 1,
                        std::memory_order_relaxed);
  activity_.since.store(now.time_since_epoch().count(), std::memory_order_relaxed);
  // seq_cst, against the watcher that stores `watched` and then looks at `running`: either it sees
  // that something runs, or this sees that nobody watches.
  activity_.running.store(what, std::memory_order_seq_cst);
  if (!activity_.watched.load(std::memory_order_seq_cst)) host_.watch();
}

void reactor::run_items(unsigned count) noexcept {
  // relaxed, all: see begin_running(); a job that is discarded late may as well have run.
  std::uint64_t begun = activity_.count.load(std::memory_order_relaxed);
  for (; count > 0 && !queue_.empty(); --count) {
    work_item& item = queue_.pop();
    activity_.count.store(++begun, std::memory_order_relaxed);
    activity_.running.store(&item, std::memory_order_relaxed);
    const bool discard = item.is_job && discarding_.load(std::memory_order_relaxed);
    item.act(item, discard ? item_action::discard : item_action::run);
  }
}

void reactor::fire_due(clock::time_point now) noexcept {
  for (unsigned count = 0; count < timers_at_once; ++count) {
    timer_node* const due = timers_.take_due(now);
    if (due == nullptr) return;
    due->fire(*due);
  }
}

void reactor::turn() noexcept {
  clock::time_point now = clock::now();
  const clock::time_point end = now + slice;
  bool marked = false;
  while (now < end) {
    fire_due(now);
    if (inbox_.take_all(queue_)) lingers_ = most_lingers_;
    if (queue_.empty()) break;
    const clock::time_point begun = now;
    if (marked) {
      activity_.since.store(now.time_since_epoch().count(), std::memory_order_relaxed);
    } else {
      begin_running(&queue_, now);
      marked = true;
    }
    run_items(chunk_);
    now = clock::now();
    // Long items are watched one by one; between short ones the clock would cost more than they.
    chunk_ = now - begun > slice ? 1 : std::min(chunk_ * 2, longest_chunk);
  }
  if (marked) activity_.running.store(nullptr, std::memory_order_relaxed);
  if (stopping_) {
    io_.stop();
    return;
  }
  arm(now);
  if (!queue_.empty()) {
    schedule();
  } else if (lingers_ != 0) {
    --lingers_;
    schedule();
  } else if (!inbox_.try_idle()) {
    schedule();
  }
}

void reactor::arm(clock::time_point now) noexcept {
  if (timers_.empty()) return;
  const clock::time_point next = timers_.next();
  if (next <= now && !queue_.empty()) return;  // the next turn comes at once
  if (armed_ && armed_at_ <= next) return;     // an early alarm does no harm, setting it costs more
  armed_ = true;
  armed_at_ = next;
  alarm_.expires_at(next);
  alarm_.async_wait([this](const asio::error_code& failure) {
    if (failure) return;  // set anew
    armed_ = false;
    if (inbox_.wake()) turn();  // otherwise a turn is coming anyway
  });
}

// --- the thread ----------------------------------------------------------------------------------

void reactor::run() noexcept {
  runs_here = this;
  const auto stay = asio::make_work_guard(io_);
  while (!stopping_) {
    if (io_.stopped()) io_.restart();  // by the program, which may not
    try {
      io_.run();
    } catch (...) {
      // Out of somebody's Asio handler. The loop goes on.
      report_error(owner_.callbacks(), {"Asio handler", 0, executor_kind::loop},
                   std::current_exception());
    }
  }
  act_on_all();
  runs_here = nullptr;
}

void reactor::act_on_all() noexcept {
  for (;;) {
    inbox_.take_all(queue_);
    if (queue_.empty()) return;
    while (!queue_.empty())
      run_items(longest_chunk);
  }
}

void reactor::stop() noexcept {
  asio::post(io_, [this] {
    stopping_ = true;
    if (inbox_.wake()) turn();
  });
}

namespace {

reactor& running_reactor(dispatcher& of) {
  reactor* const found = of.io();
  if (found == nullptr) {
    throw std::logic_error(
        "brigade: this runtime has no event loop; use a brigade::runtime, which has one");
  }
  found->host().ensure_running();
  return *found;
}

}  // namespace

reactor& this_reactor() { return running_reactor(this_dispatcher()); }

reactor& reactor_of(const job_state& job) {
  return running_reactor(job.owner() != nullptr ? *job.owner() : this_dispatcher());
}

}  // namespace brigade::detail

namespace brigade {

asio::io_context& io_context() { return detail::this_reactor().context(); }

}  // namespace brigade
