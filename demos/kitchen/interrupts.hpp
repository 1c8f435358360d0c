// Ctrl-C as a question that can be asked: the evening ends with the rounds that are finished.
#pragma once

#include <signal.h>

namespace kitchen {

// SIGINT, SIGTERM and SIGHUP are noticed from here on; a second one of the same ends the program at
// once. A SIGHUP that is ignored, as nohup has it, stays ignored.
void notice_interrupts();

// The signal that came, or 0. From any thread.
[[nodiscard]] int interrupted() noexcept;

// Holds back all signals to this thread while it lives.
class signals_held_back {
 public:
  signals_held_back() noexcept;
  signals_held_back(const signals_held_back&) = delete;
  signals_held_back& operator=(const signals_held_back&) = delete;
  ~signals_held_back();

 private:
  sigset_t before_;
};

}  // namespace kitchen
