#include <brigade/os/signal.hpp>

#include <pthread.h>

#include <cstring>

namespace brigade::os {

std::string signal_name(int signal) {
  if (const char* name = ::sigabbrev_np(signal)) return "SIG" + std::string(name);
  if (signal == SIGRTMIN) return "SIGRTMIN";
  if (signal > SIGRTMIN && signal <= SIGRTMAX) {
    return "SIGRTMIN+" + std::to_string(signal - SIGRTMIN);
  }
  return "signal " + std::to_string(signal);
}

blocked_signals::blocked_signals() noexcept {
  sigset_t all;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, &before_);
}

blocked_signals::~blocked_signals() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

void ignore_signal(int signal) noexcept {
  struct sigaction ignored {};
  ignored.sa_handler = SIG_IGN;
  ::sigaction(signal, &ignored, nullptr);
}

void block_signal(int signal) noexcept {
  sigset_t one;
  ::sigemptyset(&one);
  ::sigaddset(&one, signal);
  ::pthread_sigmask(SIG_BLOCK, &one, nullptr);
}

void wait_for_signal(int signal) noexcept {
  sigset_t one;
  ::sigemptyset(&one);
  ::sigaddset(&one, signal);
  int came = 0;
  while (::sigwait(&one, &came) != 0) {
  }
}

void reset_signals() noexcept {
  struct sigaction fresh {};
  fresh.sa_handler = SIG_DFL;
  for (int signal = 1; signal < NSIG; ++signal)
    ::sigaction(signal, &fresh, nullptr);
  sigset_t none;
  ::sigemptyset(&none);
  ::pthread_sigmask(SIG_SETMASK, &none, nullptr);
}

}  // namespace brigade::os
