#include <brigade/reactor/guest_strand.hpp>

#include <mutex>

#include <brigade/reactor/foreign_hold.hpp>
#include <brigade/work/context.hpp>
#include <brigade/work/dispatcher.hpp>

namespace brigade::detail {

guest_strand::guest_strand(job_state& job, executor& home, reactor& io) noexcept
    : job_(job_ref<job_state>::share(job)), home_(home), io_(io) {
  level = job.level;
  act = [](work_item& item, item_action) noexcept { static_cast<guest_strand&>(item).run(); };
}

void guest_strand::release() noexcept {
  // acq_rel: the last owner sees every write that the others made before they let go.
  if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
}

bool guest_strand::runs_here() const noexcept {
  // relaxed: a thread finds its own id only if it stored it itself.
  return runner_.load(std::memory_order_relaxed) == std::this_thread::get_id();
}

void guest_strand::post(work_item& item) noexcept {
  const foreign_hold hold(*job_->owner());
  item.next = nullptr;
  bool first = false;
  {
    const std::lock_guard lock(mutex_);
    if (last_ != nullptr) {
      last_->next = &item;
    } else {
      first_ = &item;
    }
    last_ = &item;
    first = !std::exchange(scheduled_, true);
    if (first) retain();  // the queue's
  }
  if (first) home_.post(*this);
}

void guest_strand::run() noexcept {
  const job_ref<job_state> job = job_;
  const task_scope scope(*job);
  if (io_.on_loop()) io_.note_running(static_cast<const work_item*>(job.get()));
  runner_.store(std::this_thread::get_id(), std::memory_order_relaxed);  // see runs_here()
  work_item* next = nullptr;
  {
    const std::lock_guard lock(mutex_);
    next = std::exchange(first_, nullptr);
    last_ = nullptr;
  }
  while (next != nullptr) {
    work_item& item = *next;
    next = item.next;
    item.act(item, item_action::run);
  }
  runner_.store({}, std::memory_order_relaxed);
  bool more = false;
  {
    const std::lock_guard lock(mutex_);
    more = first_ != nullptr;
    if (!more) scheduled_ = false;
  }
  if (more) {
    home_.post(*this);  // to the end of the queue: others get their turn
  } else {
    release();
  }
}

void guest_strand::report(std::exception_ptr error) const noexcept {
  report_error(job_->owner()->callbacks(), job_->identity(), std::move(error));
}

}  // namespace brigade::detail
