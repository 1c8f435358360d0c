#include <brigade/os/orphans.hpp>

#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <optional>
#include <random>
#include <system_error>

#include <brigade/os/poll.hpp>
#include <brigade/os/proc.hpp>
#include <brigade/os/process.hpp>

namespace brigade::os {
namespace {

std::optional<rlimit> mark_of(pid_t pid) noexcept {
  rlimit limit{};
  if (pid <= 0) return std::nullopt;  // 0 would be this process
  if (::prlimit(pid, RLIMIT_LOCKS, nullptr, &limit) == -1) return std::nullopt;
  return limit;
}

// False when it runs on, is not marked, or has gone meanwhile.
bool reap_one(pid_t pid, const family_mark& mark, deadline until) {
  const auto stat = read_process_stat(pid);
  if (!stat || !stat->is_ending || !mark.is_on(pid)) return false;
  try {
    const unique_fd pidfd = open_pidfd(pid);
    // Again: until now the number might have gone to another process.
    return mark.is_on(pid) && wait_readable(pidfd.get(), until) && try_reap(pidfd);
  } catch (const std::system_error&) {  // somebody else was faster
    return false;
  }
}

}  // namespace

family_mark::family_mark() {
  std::random_device random;
  const std::uint64_t high = random() & 0x1fffffff;
  number_ = (std::uint64_t{1} << 61) | (high << 32) | random();
}

bool family_mark::put_on(pid_t pid) const noexcept {
  auto limit = mark_of(pid);
  if (!limit || limit->rlim_max < number_) return false;
  limit->rlim_cur = number_;
  return ::prlimit(pid, RLIMIT_LOCKS, &*limit, nullptr) == 0;
}

bool family_mark::is_on(pid_t pid) const noexcept {
  const auto limit = mark_of(pid);
  return limit && limit->rlim_cur == number_;
}

bool adopts_orphans() noexcept {
  int subreaper = 0;
  return ::getpid() == 1 || (::prctl(PR_GET_CHILD_SUBREAPER, &subreaper) == 0 && subreaper != 0);
}

void reap_marked(const family_mark& mark, deadline until) {
  // The kernel's list may miss one while another child is waited for: until none is found.
  for (bool found = true; found;) {
    found = false;
    for (const pid_t pid : children_of(process_id()))
      found = reap_one(pid, mark, until) || found;
  }
}

}  // namespace brigade::os
