#include <brigade/work/executor.hpp>

#include <brigade/work/context.hpp>
#include <brigade/work/coroutine_root.hpp>
#include <brigade/work/dispatcher.hpp>
#include <brigade/work/job_state.hpp>

namespace brigade::detail {

bool executor::on_worker() const noexcept { return this_thread_context().where == this; }

void executor::cancel_wait(coroutine_root& root) noexcept {
  if (!root.cancel_here(*this)) root.cancel();  // it has moved: ask its new home
}

void executor::add_timer(timer_node& node, clock::time_point deadline) {
  owner_->timers().add(node, deadline);
}

bool executor::cancel_timer(timer_node& node) noexcept { return owner_->timers().cancel(node); }

void executor::wait_on_worker(job_state& awaited, std::optional<clock::time_point> deadline) {
  if (!deadline && awaited.depends_on(*this)) {
    throw would_deadlock(
        "a blocking get() or wait() on the only worker of " + std::string(to_string(kind_)) +
            " would wait for " + describe(awaited.identity()) +
            ", which needs that worker; co_await the future instead (co_await map_async(...) for "
            "map)",
        awaited.identity());
  }
  awaited.sleep_until_ready(deadline);
}

void executor::wait_outside(job_state& awaited, std::optional<clock::time_point> deadline) {
  awaited.sleep_until_ready(deadline);
}

}  // namespace brigade::detail
