// What a child leaves behind when it dies before it could tell of its own children.
//
// In a process that adopts orphans (init of a container, a subreaper) those become children of this
// process, which does not know their ids; and it may wait for nobody but its own. So the child is
// marked before it starts anything: whatever descends from it inherits the mark, through fork and
// exec, and the kernel keeps it with a zombie until somebody has waited for it. There is no moment
// in which a process exists without its mark.
//
// The mark is the soft limit RLIMIT_LOCKS: the one attribute that is inherited, survives, can be
// read of a zombie and means nothing (getrlimit(2): Linux 2.4.0 to 2.4.24 only).
#pragma once

#include <sys/types.h>

#include <cstdint>

#include <brigade/os/clock.hpp>

namespace brigade::os {

class family_mark {
 public:
  family_mark();  // by chance, of 62 bits: one of its own

  // On a child of this process, and all that it starts from now on. False where the system does not
  // allow it (a finite hard limit): then nothing is found later.
  bool put_on(pid_t pid) const noexcept;
  [[nodiscard]] bool is_on(pid_t pid) const noexcept;

 private:
  std::uint64_t number_;
};

// Whether orphans become children of this process.
[[nodiscard]] bool adopts_orphans() noexcept;

// Waits for the children of this process that have the mark and have ended, or are just ending.
// Those that run, and all without the mark, are left alone.
void reap_marked(const family_mark& mark, deadline until);

}  // namespace brigade::os
