#include <brigade/os/thread.hpp>

#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include <array>

#include <brigade/os/system_failure.hpp>

namespace brigade::os {

void set_thread_name(std::string_view name) noexcept {
  std::array<char, 16> text{};
  name.copy(text.data(), text.size() - 1);
  ::pthread_setname_np(::pthread_self(), text.data());
}

std::string thread_name() {
  std::array<char, 16> text{};
  ::pthread_getname_np(::pthread_self(), text.data(), text.size());
  return text.data();
}

pid_t thread_id() noexcept { return ::gettid(); }

void pin_this_thread(unsigned cpu) {
  const std::string what = "thread to CPU " + std::to_string(cpu);
  cpu_set_t* set = CPU_ALLOC(cpu + 1);
  if (set == nullptr) throw_system_failure(ENOMEM, "CPU_ALLOC", what);
  const std::size_t bytes = CPU_ALLOC_SIZE(cpu + 1);
  CPU_ZERO_S(bytes, set);
  CPU_SET_S(cpu, bytes, set);
  const int failed = ::pthread_setaffinity_np(::pthread_self(), bytes, set);
  CPU_FREE(set);
  if (failed != 0) throw_system_failure(failed, "pthread_setaffinity_np", what);
}

}  // namespace brigade::os
