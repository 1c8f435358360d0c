// Options of one submission. Every member has a default, so designated initialisers name only
// what differs: rt.submit({.on = processes, .name = "resize", .deadline = 2s}, resize, image).
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>

#include <brigade/base/executor_kind.hpp>
#include <brigade/work/work_item.hpp>

namespace brigade {

// What a submission does when `.max_pending` tasks already wait in the executor's queue.
enum class when_full : std::uint8_t {
  wait,  // block the caller; on a worker of that executor the task fails with would_deadlock
  fail,  // throw queue_full
};

struct submit_options {
  // Which executor; unset means threads.
  std::optional<executor_kind> on = {};
  // Appears in errors, statistics and observers.
  std::string name = {};
  // The future fails with task_timeout this long after submit, over all attempts and including
  // the time in the queue; the task is then asked to stop.
  std::optional<std::chrono::nanoseconds> deadline = {};
  // The future fails with task_timeout when the task has not started this long after submit.
  std::optional<std::chrono::nanoseconds> queue_deadline = {};
  brigade::priority priority = brigade::priority::normal;
  // How often a failed attempt is repeated. Needs `.idempotent = true`.
  unsigned retries = 0;
  // The task may run more than once: arguments stay unmoved (each attempt gets copies).
  bool idempotent = false;
  // The task ends only when asked to: draining the runtime asks it at once.
  bool endless = false;
  // A request on this token cancels the task.
  std::stop_token stop = {};
  // Overrides the executor's policy.
  std::optional<brigade::when_full> when_full = {};
};

struct map_options {
  std::string name = {};
  // Elements per task; 0 lets the runtime choose: on threads fewer and fewer, elsewhere as many in
  // each of four tasks a worker. Coroutines are always one task each.
  std::size_t chunk = 0;
  // imap only: elements in flight at most; 0 lets the runtime choose.
  std::size_t window = 0;
  std::optional<std::chrono::nanoseconds> deadline = {};
  brigade::priority priority = brigade::priority::normal;
  std::stop_token stop = {};
};

}  // namespace brigade
