// What executors queue: an intrusive node that knows how to act.
//
// A work item is a job that has not started, or the resumption of a suspended coroutine. Whoever
// embeds it owns it; an executor that was given one with post() acts on it exactly once, and
// does not touch it afterwards.
#pragma once

#include <cstdint>

namespace brigade {

// Items of a higher level are taken before items of a lower one that wait in the same queue.
enum class priority : std::uint8_t { low, normal, high };
inline constexpr unsigned priority_levels = 3;

namespace detail {

enum class item_action : std::uint8_t {
  run,
  discard,  // the executor is being shut down: a job fails as cancelled, a coroutine still resumes
};

struct work_item {
  void (*act)(work_item&, item_action) noexcept = nullptr;
  work_item* next = nullptr;  // for the queue that holds it
  priority level = priority::normal;
  bool is_job = false;  // a task that has not started; otherwise a due resumption
};

}  // namespace detail
}  // namespace brigade
