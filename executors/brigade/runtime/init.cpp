#include <brigade/runtime/init.hpp>

#include <memory>

#include <brigade/processes/program.hpp>
#include <brigade/runtime/runtime.hpp>

namespace brigade {

void init(int argc, char** argv) {
  detail::play_part(argc, argv, &detail::worker_runtime::make_for_worker);
}

}  // namespace brigade
