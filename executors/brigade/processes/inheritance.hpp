// What a worker or a process has from the supervisor that started it.
#pragma once

#include <vector>

#include <brigade/os/fd.hpp>
#include <brigade/processes/program.hpp>

namespace brigade::detail {

struct inheritance {
  role what = role::worker;
  std::vector<os::unique_fd> descriptors;  // as the order to start it names them
  os::unique_fd lifeline;
  int parent = 0;
  bool is_fork = false;  // of a supervisor that has already been compared with the host
};

}  // namespace brigade::detail
