#include <brigade/os/lifeline.hpp>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <csignal>
#include <string>

#include <brigade/os/system_failure.hpp>

namespace brigade::os {

lifeline_hold::lifeline_hold(int holder_end)
    : fd_(open_file("/proc/self/fd/" + std::to_string(holder_end), O_RDONLY | O_NONBLOCK)) {
  const int fd = fd_.get();
  // The receiver and the signal come first: once O_ASYNC is set, nothing may find them missing.
  if (::fcntl(fd, F_SETOWN, ::getpid()) == -1) throw_errno("fcntl(F_SETOWN)", "a lifeline");
  if (::fcntl(fd, F_SETSIG, SIGKILL) == -1) throw_errno("fcntl(F_SETSIG)", "a lifeline");
  if (::fcntl(fd, F_SETFL, O_NONBLOCK | O_ASYNC) == -1) {
    throw_errno("fcntl(O_ASYNC)", "a lifeline");
  }
  pollfd entry{fd, POLLIN, 0};
  const bool ended = retry_interrupted([&] { return ::poll(&entry, 1, 0); }) > 0;
  if (ended) ::kill(::getpid(), SIGKILL);  // it happened before the signal was asked for
}

}  // namespace brigade::os
