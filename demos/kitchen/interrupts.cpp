#include "kitchen/interrupts.hpp"

#include <signal.h>

#include <csignal>

namespace kitchen {
namespace {

volatile std::sig_atomic_t noticed = 0;

extern "C" void notice(int signal) { noticed = signal; }

}  // namespace

void notice_interrupts() {
  struct sigaction action {};
  action.sa_handler = notice;
  action.sa_flags = static_cast<int>(SA_RESETHAND | SA_RESTART);
  ::sigemptyset(&action.sa_mask);
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
}

int interrupted() noexcept { return noticed; }

}  // namespace kitchen
