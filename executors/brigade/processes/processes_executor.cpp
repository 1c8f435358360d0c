#include <brigade/processes/processes_executor.hpp>

#include <brigade/processes/call_cargo.hpp>

namespace brigade::detail {

void processes_executor::prepare(job_state& job) noexcept {
  try {
    pack(job, conductor_.options().max_message_bytes, conductor_.blocks());
  } catch (...) {
    job.discard(about(job.identity(), std::current_exception()));
  }
  conductor_.note_blocks();
}

bool processes_executor::prepare_follower(
    job_state& job, const std::function<void(codec::writer&)>& write) noexcept {
  bool loaded = false;
  try {
    loaded = conductor_.load(job, pack(job, conductor_.options().max_message_bytes,
                                       conductor_.blocks(), write));
  } catch (...) {
    job.discard(about(job.identity(), std::current_exception()));
  }
  conductor_.note_blocks();
  return loaded;
}

void processes_executor::post(work_item& item) noexcept {
  if (item.is_job) {
    conductor_.push(static_cast<job_state&>(item));
  } else {
    item.act(item, item_action::run);  // no coroutine lives here, but every item is acted upon
  }
}

}  // namespace brigade::detail
