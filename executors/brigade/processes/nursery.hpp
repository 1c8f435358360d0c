// Where supervisors of the start method `fork` come from: a process that is forked from this one
// while it has a single thread, keeps its memory as it was, and does nothing but fork supervisors.
// So one that dies is replaced by one that sees the same. Gone with its owner. Used by one thread
// at a time.
#pragma once

#include <brigade/os/fd.hpp>
#include <brigade/os/process.hpp>

namespace brigade::detail {

class nursery {
 public:
  // Throws worker_start_failed where this process has more than one thread.
  nursery();
  nursery(const nursery&) = delete;
  nursery& operator=(const nursery&) = delete;
  ~nursery();

  // Forks a supervisor with copies of these descriptors, the last of which may be -1; returns its
  // pidfd. Throws std::system_error and std::runtime_error when it could not.
  [[nodiscard]] os::unique_fd bear(int link, int lifeline, int preload);

 private:
  os::unique_fd control_;
  os::child_process process_;
};

}  // namespace brigade::detail
