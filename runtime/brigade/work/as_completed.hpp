// as_completed: futures in the order in which they end.
//
//   for (completed<int>& each : as_completed(std::move(futures))) use(each.index,
//   each.future.get());
// or, in a task, without blocking:
//   while (std::optional<completed<int>> each = co_await stream.next_async()) ...
// The futures it yields are ready; their errors are in their get(). Dropping the stream drops the
// rest of the futures, cancelling nothing. One consumer; more futures may be added at any time.
#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>
#include <iterator>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

#include <brigade/work/future.hpp>
#include <brigade/work/job.hpp>
#include <brigade/work/pull_iterator.hpp>
#include <brigade/work/watch.hpp>

namespace brigade {

// A future that has ended, and which one it was: its number in the order of adding, from 0.
template <class R>
struct completed {
  std::size_t index = 0;
  brigade::future<R> future;
};

template <class R>
class completion_stream {
  using item = std::optional<completed<R>>;

 public:
  completion_stream() : shared_(std::make_shared<shared>()) {}

  void add(future<R> added) {
    detail::job_ref<detail::state_of<R>> state = detail::future_access::take(std::move(added));
    std::size_t index = 0;
    {
      const std::lock_guard lock(shared_->mutex);
      index = shared_->added++;
      if (shared_->owner == nullptr) shared_->owner = state->living_owner();
      shared_->dependencies |= state->dependencies();
    }
    detail::when_ready(state, [shared = shared_, index](detail::state_of<R>& ended) {
      deliver(
          *shared,
          {index, detail::future_access::make(detail::job_ref<detail::state_of<R>>::share(ended))});
    });
  }

  // The next to end; empty when all have been yielded. On a worker it may throw would_deadlock.
  [[nodiscard]] item next() { return next_async().get(); }

  // The same as a future, for co_await. One at a time.
  [[nodiscard]] future<item> next_async() {
    detail::dispatcher* owner = nullptr;
    {
      const std::lock_guard lock(shared_->mutex);
      owner = shared_->owner;
    }
    detail::job_ref<waiter> made(
        new waiter(detail::dispatcher::is_alive(owner) ? owner : nullptr, shared_));
    detail::job_ref<waiter> given_up;
    item ready;
    bool finished = false;
    {
      const std::lock_guard lock(shared_->mutex);
      if (shared_->waiting && shared_->waiting->is_abandoned()) {
        given_up = std::move(shared_->waiting);
      }
      if (shared_->waiting) {
        throw std::logic_error("brigade: a completion stream has one consumer at a time");
      }
      if (!shared_->ended.empty()) {
        ready.emplace(std::move(shared_->ended.front()));
        shared_->ended.pop_front();
        ++shared_->yielded;
      } else if (shared_->all_yielded()) {
        finished = true;
      } else {
        made->add_dependencies(shared_->dependencies);
        shared_->handed.reserve(shared_->handed.size() + 1);  // so that handing over cannot fail
        shared_->waiting = made;
      }
    }
    if (ready || finished) made->succeed(std::move(ready));
    return detail::future_access::make(detail::job_ref<detail::state_of<item>>(made.take()));
  }

  // A range of completed<R>, by blocking next().
  [[nodiscard]] detail::pull_iterator<completion_stream> begin() {
    return detail::pull_iterator<completion_stream>(*this);
  }
  [[nodiscard]] std::default_sentinel_t end() const noexcept { return {}; }

 private:
  struct shared;

  // Gives back what was delivered when nobody took it: the wait was given up or cancelled.
  class waiter final : public detail::hand_state<item> {
   public:
    waiter(detail::dispatcher* owner, std::weak_ptr<shared> stream)
        : detail::hand_state<item>(owner), stream_(std::move(stream)) {}
    ~waiter() override {
      const std::shared_ptr<shared> stream = stream_.lock();
      if (!stream) return;
      detail::job_ref<waiter> next;
      item given_back;
      {
        const std::lock_guard lock(stream->mutex);
        std::erase(stream->handed, this);
        if (this->ready() && !this->outcome_is_error() && this->value() &&
            this->value()->future.valid()) {
          if (stream->waiting) {
            given_back = std::move(this->value());
            next = stream->hand_over();
          } else {
            stream->ended.push_front(std::move(*this->value()));
            --stream->yielded;
          }
        } else if (stream->waiting && stream->all_yielded()) {
          next = std::move(stream->waiting);
        }
      }
      if (next) next->succeed(std::move(given_back));
    }

   private:
    std::weak_ptr<shared> stream_;
  };

  struct shared {
    std::mutex mutex;
    std::size_t added = 0;
    std::size_t yielded = 0;  // those on their way to a waiter are among them
    std::deque<completed<R>> ended;
    unsigned dependencies = 0;  // of all futures that were ever in the stream
    detail::job_ref<waiter> waiting;
    std::vector<waiter*> handed;  // waiters that were given an item and still exist
    detail::dispatcher* owner = nullptr;

    // Whether no item is left and none can come back from a waiter that was given up.
    [[nodiscard]] bool all_yielded() const noexcept {
      return ended.empty() && yielded == added &&
             std::ranges::none_of(handed, &waiter::is_abandoned);
    }

    // Under the lock; the caller completes the waiter after it.
    detail::job_ref<waiter> hand_over() noexcept {
      handed.push_back(waiting.get());
      return std::move(waiting);
    }
  };

  static void deliver(shared& to, completed<R> done) noexcept {
    detail::job_ref<waiter> waiting;
    {
      const std::lock_guard lock(to.mutex);
      if (to.waiting) {
        waiting = to.hand_over();
        ++to.yielded;
      } else {
        to.ended.push_back(std::move(done));
      }
    }
    if (waiting) waiting->succeed(item(std::move(done)));
  }

  std::shared_ptr<shared> shared_;
};

template <class R>
[[nodiscard]] completion_stream<R> as_completed(std::vector<future<R>> futures) {
  completion_stream<R> stream;
  for (future<R>& each : futures)
    stream.add(std::move(each));
  return stream;
}

}  // namespace brigade
