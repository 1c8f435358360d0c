#include <brigade/processes/nested_executor.hpp>

#include <brigade/base/error.hpp>
#include <brigade/work/job_state.hpp>

namespace brigade::detail {

void nested_processes_executor::post(work_item& item) noexcept {
  auto& job = static_cast<job_state&>(item);  // coroutines cannot move here
  job.discard(std::make_exception_ptr(would_deadlock(
      describe(job.identity()) +
          " was submitted from inside of a worker process, which has no pool of its own: return "
          "the work to the host and submit it there, or use loop or threads",
      job.identity())));
  job.release();
}

}  // namespace brigade::detail
