#include <brigade/os/eventfd.hpp>

#include <sys/eventfd.h>
#include <unistd.h>

#include <brigade/os/system_failure.hpp>

namespace brigade::os {

eventfd::eventfd() : fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (!fd_) throw_errno("eventfd");
}

void eventfd::signal() const noexcept {
  const int saved = errno;
  const std::uint64_t one = 1;
  // EAGAIN means that the counter is full, hence readable: nothing is lost.
  (void)retry_interrupted([&] { return ::write(fd_.get(), &one, sizeof one); });
  errno = saved;
}

std::uint64_t eventfd::drain() const noexcept {
  std::uint64_t count = 0;
  const auto n = retry_interrupted([&] { return ::read(fd_.get(), &count, sizeof count); });
  return n == static_cast<ssize_t>(sizeof count) ? count : 0;
}

}  // namespace brigade::os
