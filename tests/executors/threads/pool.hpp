// A runtime whose threads are the real pool; loop and processes are toys.
#pragma once

#include <optional>
#include <utility>

#include <brigade/threads/threads_executor.hpp>

#include "runtime/work/toy_executor.hpp"

namespace brigade::testing {

class pool : private toy_core, public submitter {
 public:
  explicit pool(threads_options options, brigade::hooks hooks = {})
      : toy_core{{std::move(hooks),
                  same_policy({options.max_pending, options.when_full})}},
        submitter(core),
        crew(options, core),
        loop_(executor_kind::loop, core, 1),
        processes_(executor_kind::processes, core, 1) {
    core.attach(crew);
  }
  ~pool() {
    core.shutdown(shutdown_mode::drain, std::nullopt);
    crew.join();
    loop_.join();  // all, before one is destroyed: see toy_runtime
    processes_.join();
  }

  using toy_core::core;
  [[nodiscard]] executor_stats stats() const noexcept { return core.stats(executor_kind::threads); }

  detail::threads_executor crew;

 private:
  toy_executor loop_;
  toy_executor processes_;
};

}  // namespace brigade::testing
