#include "kitchen/interrupts.hpp"

#include <atomic>

namespace kitchen {
namespace {

// A handler may touch it because it has no lock; relaxed: nothing is passed on with it.
std::atomic<int> noticed{0};
static_assert(std::atomic<int>::is_always_lock_free);

extern "C" void notice(int signal) { noticed.store(signal, std::memory_order_relaxed); }

bool is_ignored(int signal) {
  struct sigaction before {};
  return ::sigaction(signal, nullptr, &before) == 0 && before.sa_handler == SIG_IGN;
}

}  // namespace

void notice_interrupts() {
  struct sigaction action {};
  action.sa_handler = notice;
  action.sa_flags = static_cast<int>(SA_RESETHAND | SA_RESTART);
  ::sigemptyset(&action.sa_mask);
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
  if (!is_ignored(SIGHUP)) ::sigaction(SIGHUP, &action, nullptr);
}

int interrupted() noexcept { return noticed.load(std::memory_order_relaxed); }

signals_held_back::signals_held_back() noexcept {
  sigset_t all;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before_);
}

signals_held_back::~signals_held_back() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

}  // namespace kitchen
