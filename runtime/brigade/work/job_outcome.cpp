// The half of job_state that its future sees: claimed, published, waited for.
#include <stdexcept>
#include <utility>

#include <brigade/os/cpu.hpp>
#include <brigade/os/futex.hpp>
#include <brigade/sync/spin_hint.hpp>
#include <brigade/work/context.hpp>
#include <brigade/work/dispatcher.hpp>
#include <brigade/work/job_state.hpp>

namespace brigade::detail {
namespace {

// What continuation_ holds once the outcome is ready.
continuation notified{};

// How often to look before going to sleep: about 5 us, a part of what a wake-up across cores costs.
// Not at all on a single core, where whoever is waited for needs it.
unsigned looks_before_sleep() noexcept {
  static const unsigned looks = os::usable_cpus() > 1 ? 10 : 0;
  return looks;
}

}  // namespace

bool job_state::ready() const noexcept {
  // acquire: pairs with publish(), so that the reader sees the stored outcome.
  return (outcome_.load(std::memory_order_acquire) & done) != 0;
}

bool job_state::claim_outcome() noexcept {
  // relaxed: claiming gives the right to write, it publishes nothing.
  return (outcome_.fetch_or(claimed, std::memory_order_relaxed) & claimed) == 0;
}

void job_state::publish() noexcept {
  if (unasked_) {
    if (outcome_is_error()) report_if_failed();
    return;
  }
  // release: publishes the stored outcome. acquire: sees what abandon() left for the reporter.
  std::uint32_t before = outcome_.load(std::memory_order_relaxed);
  bool held = false;
  do {
    // Before it is done: from then on the visitor may let go of what is held.
    if ((before & visited) != 0 && !std::exchange(held, true)) owner_->hold();
  } while (!outcome_.compare_exchange_weak(before, before | done | claimed,
                                           std::memory_order_acq_rel, std::memory_order_relaxed));
  if (held && (before & visited) == 0) owner_->job_settled();  // it has left meanwhile
  if ((before & sleeper) != 0) os::futex_wake(outcome_, os::everybody);
  // acq_rel: sees the continuation's own fields; tells a later set_continuation that it is late.
  continuation* const next = continuation_.exchange(&notified, std::memory_order_acq_rel);
  if (next != nullptr) next->notify(*next);
  if ((before & abandoned) != 0) report_if_failed();
}

void job_state::keep_hooks() {
  hooks_ = std::make_unique<const std::shared_ptr<const hooks>>(owner_->shared_hooks());
}

dispatcher* job_state::living_owner() const noexcept {
  return dispatcher::is_alive(owner_) ? owner_ : nullptr;
}

void job_state::put_error(std::exception_ptr error) noexcept {
  if (owner_ != nullptr && !hooks_) keep_hooks();
  store_error(std::move(error));
}

bool job_state::decide_error(std::exception_ptr error) noexcept {
  if (!claim_outcome()) return false;
  put_error(std::move(error));
  return true;
}

bool job_state::fail(std::exception_ptr error) noexcept {
  if (!decide_error(std::move(error))) return false;
  publish();
  return true;
}

bool job_state::set_continuation(continuation& next) {
  continuation* expected = nullptr;
  // release: publishes the continuation to publish(). acquire on failure: if it is ready, the
  // outcome is visible to the caller.
  if (continuation_.compare_exchange_strong(expected, &next, std::memory_order_release,
                                            std::memory_order_acquire)) {
    return true;
  }
  if (expected == &notified) return false;
  throw std::logic_error(
      "brigade: two waits on one future: only one of co_await, then, async_wait and the "
      "combinators may use it");
}

bool job_state::remove_continuation(continuation& next) noexcept {
  continuation* expected = &next;
  // relaxed: nothing was published through the slot; on failure publish() owns the continuation.
  return continuation_.compare_exchange_strong(expected, nullptr, std::memory_order_relaxed);
}

void job_state::wait() {
  if (ready()) return;
  if (executor* const here = context_record.where; here != nullptr) {
    here->wait_on_worker(*this, std::nullopt);
  } else {
    wait_outside(std::nullopt);
  }
}

bool job_state::wait_until(clock::time_point deadline) {
  if (ready()) return true;
  executor* const here = context_record.where;
  if (here == nullptr) {
    wait_outside(deadline);
  } else {
    here->wait_on_worker(*this, deadline);
  }
  return ready();
}

void job_state::wait_outside(std::optional<clock::time_point> deadline) {
  // The runtime may be destroyed as soon as the outcome is ready, and its executor with it.
  const bool helps = (depends_on_ & (1U << index_of(executor_kind::processes))) != 0;
  if (home_ == nullptr || !helps) {
    sleep_until_ready(deadline);
    return;
  }
  // acq_rel: either publish() sees the bit and holds the runtime, or this sees that it is done.
  std::uint32_t seen = outcome_.fetch_or(visited, std::memory_order_acq_rel);
  if ((seen & done) != 0) return;
  home_->wait_outside(*this, deadline);
  seen = outcome_.load(std::memory_order_acquire);  // as in ready()
  while ((seen & done) == 0) {
    if (outcome_.compare_exchange_weak(seen, seen & ~visited, std::memory_order_acq_rel,
                                       std::memory_order_acquire)) {
      return;
    }
  }
  owner_->job_settled();  // what publish() held
}

bool job_state::sleep_until_ready(std::optional<clock::time_point> deadline) noexcept {
  for (unsigned look = looks_before_sleep(); look > 0; --look) {
    if (ready()) return true;
    spin_hint();
  }
  for (;;) {
    // acquire: as in ready(). Setting the bit before sleeping makes publish() wake; the kernel
    // compares the word again, so a publication in between is not missed.
    const std::uint32_t before = outcome_.fetch_or(sleeper, std::memory_order_acquire);
    if ((before & done) != 0) return true;
    if (deadline && clock::now() >= *deadline) return false;
    os::futex_wait(outcome_, before | sleeper, os::futex_scope::this_process, deadline);
  }
}

std::optional<bool> job_state::sleep_beside(std::span<os::futex_watch> words,
                                            std::optional<clock::time_point> deadline) noexcept {
  // acquire, and the bit before the sleep: as in sleep_until_ready().
  const std::uint32_t before = outcome_.fetch_or(sleeper, std::memory_order_acquire);
  if ((before & done) != 0) return true;
  words.front() = {&outcome_, before | sleeper, os::futex_scope::this_process};
  return os::futex_wait_any(words, deadline);
}

void job_state::abandon() noexcept {
  // acq_rel: whichever of abandon() and publish() comes second sees the other's bit and reports.
  const std::uint32_t before = outcome_.fetch_or(abandoned, std::memory_order_acq_rel);
  if ((before & done) != 0) report_if_failed();
  release();
}

void job_state::report_if_failed() noexcept {
  const std::exception_ptr error = failure();
  if (!error || !hooks_) return;
  try {
    std::rethrow_exception(error);
  } catch (const task_cancelled&) {
    return;  // somebody asked for it
  } catch (...) {
    report_error(**hooks_, identity(), error);
  }
}

}  // namespace brigade::detail
