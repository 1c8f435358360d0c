// Signals by name, and the state of signals that a fresh process should have.
#pragma once

#include <csignal>
#include <string>

namespace brigade::os {

// "SIGSEGV", "SIGRTMIN+3", or "signal 99" for a number without a name.
[[nodiscard]] std::string signal_name(int signal);

// Blocks every signal in the calling thread until destroyed: threads that are made meanwhile
// leave the program's signals to its own threads.
class blocked_signals {
 public:
  blocked_signals() noexcept;
  ~blocked_signals();
  blocked_signals(const blocked_signals&) = delete;
  blocked_signals& operator=(const blocked_signals&) = delete;

 private:
  sigset_t before_;
};

// The signal does nothing to this process from now on.
void ignore_signal(int signal) noexcept;

// Blocks the signal in the calling thread, and in threads that it makes from now on.
void block_signal(int signal) noexcept;
// Waits until the signal comes, which must be blocked in all threads.
void wait_for_signal(int signal) noexcept;

// Gives every signal its default action and unblocks all in the calling thread: for a forked
// child, which has its parent's. Async-signal-safe.
void reset_signals() noexcept;

}  // namespace brigade::os
