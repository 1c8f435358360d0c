// A lifeline: who holds one gets SIGKILL from the kernel as soon as its host is gone, however the
// host died and whatever the holder is doing, be it an endless loop.
//
// It is a pipe that nobody writes to. The host keeps the write end; a holder opens the read end
// anew and asks for a signal when something happens to it (O_ASYNC with F_SETSIG), and what
// happens is the end. A holder opens it for itself, even when it has inherited the read end by
// fork: the receiver of the signal belongs to the open file description. Unlike PR_SET_PDEATHSIG
// this follows the process, not the thread that made the child, and reaches grandchildren.
// A process forked from the host without exec holds the write end too, until it exits or execs.
#pragma once

#include <brigade/os/fd.hpp>
#include <brigade/os/pipe.hpp>
#include <brigade/os/poll.hpp>

namespace brigade::os {

// The host's end.
class lifeline {
 public:
  lifeline() : pipe_(make_pipe()) {}

  // The read end, to be handed to holders (by spawn, fork or a socket).
  [[nodiscard]] int holder_end() const noexcept { return pipe_.read_end.get(); }

  // Kills the holders now. Also what a forked child does first, with no effect on the others
  // while the host lives.
  void let_go() noexcept { pipe_.write_end.reset(); }

  // It has been handed to whom it is for: from now on nobody can get it from here.
  void keep_to_holders() noexcept { pipe_.read_end.reset(); }
  // Until no process has it any more, however it ended; false when the deadline passed.
  // Precondition: keep_to_holders().
  [[nodiscard]] bool wait_for_holders(deadline until) const {
    return wait_readable(pipe_.write_end.get(), until);  // POLLERR: no reader
  }

 private:
  pipe pipe_;
};

// A holder's end: armed while it lives. Opens the pipe through /proc/self/fd.
class lifeline_hold {
 public:
  // `holder_end` stays the caller's and is not needed afterwards. When the host is gone already,
  // this kills the process at once.
  explicit lifeline_hold(int holder_end);

  [[nodiscard]] int get() const noexcept { return fd_.get(); }

 private:
  unique_fd fd_;
};

}  // namespace brigade::os
