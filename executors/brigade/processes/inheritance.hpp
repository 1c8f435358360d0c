// What a worker or a process has from the supervisor that started it.
#pragma once

#include <vector>

#include <brigade/os/fd.hpp>
#include <brigade/os/lifeline.hpp>
#include <brigade/processes/program.hpp>

namespace brigade::detail {

struct inheritance {
  role what = role::worker;
  std::vector<os::unique_fd> descriptors;  // as the order to start it names them
  os::unique_fd lifeline;
  int parent = 0;
  bool is_fork = false;  // of a supervisor that has already been compared with the host
};

// The first thing that every child does: signals are those of a fresh process, and it dies with its
// supervisor and, as long as it keeps what is returned, with the host. Ends the process when the
// supervisor is gone already.
[[nodiscard]] os::lifeline_hold settle_under_supervisor(inheritance& inherited);

}  // namespace brigade::detail
