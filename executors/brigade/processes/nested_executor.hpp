// The `processes` of a worker process: it has no pool of its own and says so.
//
// Workers that started workers would multiply without a bound, and a task that waits for a task in
// the pool that it occupies could wait for ever. So submitting to processes from inside of a worker
// fails with would_deadlock, in the future.
#pragma once

#include <brigade/work/executor.hpp>

namespace brigade::detail {

class nested_processes_executor final : public executor {
 public:
  explicit nested_processes_executor(dispatcher& owner) noexcept
      : executor(executor_kind::processes, owner) {}

  void post(work_item& item) noexcept override;
  void discard_queued() noexcept override {}
  void join() noexcept override {}
  [[nodiscard]] unsigned worker_count() const noexcept override { return 0; }
  [[nodiscard]] std::vector<worker_info> workers() const override { return {}; }
};

}  // namespace brigade::detail
