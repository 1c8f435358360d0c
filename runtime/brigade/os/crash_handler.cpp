#include <brigade/os/crash_handler.hpp>

#include <dlfcn.h>
#include <link.h>
#include <signal.h>
#include <ucontext.h>
#include <unistd.h>
#include <unwind.h>

#include <array>
#include <atomic>
#include <csignal>

namespace brigade::os {
namespace {

constexpr std::array<int, 6> fatal{SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGSYS};
constexpr unsigned handler_limit_seconds = 3;

// What a signal handler can reach: of the process, which is one worker for all its life.
std::atomic<crash_sink*> sink_of_this_process{nullptr};
std::array<char, 4096> program_file{};
alignas(16) std::array<std::byte, 65536> handler_stack;
std::atomic_flag has_crashed;

struct walk {
  std::array<std::uintptr_t, 96> places{};
  std::size_t count = 0;
};

_Unwind_Reason_Code note_frame(_Unwind_Context* context, void* to) {
  walk& known = *static_cast<walk*>(to);
  int is_exact = 0;
  const std::uintptr_t ip = _Unwind_GetIPInfo(context, &is_exact);
  if (ip == 0 || known.count == known.places.size()) return _URC_END_OF_STACK;
  // A return address is behind the call, which may be the end of the function.
  known.places[known.count++] = is_exact != 0 ? ip : ip - 1;
  return _URC_NO_REASON;
}

void add_frame(crash_sink& box, std::uintptr_t place) noexcept {
  const link_map* module = nullptr;
#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 35)
  dl_find_object found{};  // which is async-signal-safe, unlike dladdr
  if (::_dl_find_object(reinterpret_cast<void*>(place), &found) == 0) module = found.dlfo_link_map;
#else
  Dl_info info{};
  void* extra = nullptr;
  if (::dladdr1(reinterpret_cast<void*>(place), &info, &extra, RTLD_DL_LINKMAP) != 0) {
    module = static_cast<const link_map*>(extra);
  }
#endif
  if (module == nullptr) {
    box.add_frame("?", place);
    return;
  }
  const bool is_program = module->l_name == nullptr || module->l_name[0] == '\0';
  box.add_frame(is_program ? program_file.data() : module->l_name, place - module->l_addr);
}

std::uintptr_t place_of(const void* context) noexcept {
  const auto& machine = static_cast<const ucontext_t*>(context)->uc_mcontext;
#if defined(__x86_64__)
  return static_cast<std::uintptr_t>(machine.gregs[REG_RIP]);
#elif defined(__aarch64__)
  return machine.pc;
#else
  (void)machine;
  return 0;
#endif
}

void set_default(int signal) noexcept {
  struct sigaction usual {};
  usual.sa_handler = SIG_DFL;
  ::sigaction(signal, &usual, nullptr);
}

// Walking the stack takes locks in the worst case (none with a recent C library): whoever holds one
// must not keep this process from dying.
void limit_handler() noexcept {
  set_default(SIGALRM);
  sigset_t one;
  ::sigemptyset(&one);
  ::sigaddset(&one, SIGALRM);
  ::pthread_sigmask(SIG_UNBLOCK, &one, nullptr);
  ::alarm(handler_limit_seconds);
}

void on_crash(int signal, siginfo_t* info, void* context) {
  set_default(signal);
  // Relaxed, both: set before anything could crash; a flag of its own.
  crash_sink* const box = sink_of_this_process.load(std::memory_order_relaxed);
  if (box != nullptr && !has_crashed.test_and_set(std::memory_order_relaxed)) {
    const bool by_kernel = info->si_code > 0;
    const bool has_place = by_kernel && signal != SIGABRT && signal != SIGSYS;
    std::optional<std::uint64_t> fault;
    if (has_place) fault = reinterpret_cast<std::uintptr_t>(info->si_addr);
    box->begin_crash(signal, fault);
    limit_handler();
    walk stack;
    _Unwind_Backtrace(&note_frame, &stack);
    std::size_t first = 0;  // after those of this handler
    const std::uintptr_t crashed_at = place_of(context);
    while (first < stack.count && stack.places[first] != crashed_at)
      ++first;
    if (first == stack.count) {  // a jump to nowhere
      add_frame(*box, crashed_at);
      first = 0;
    }
    for (std::size_t i = first; i < stack.count; ++i)
      add_frame(*box, stack.places[i]);
    ::alarm(0);
  }
  // A fault happens again when this returns; what was sent by somebody must be sent again.
  if (info->si_code <= 0) ::raise(signal);
}

}  // namespace

void report_crashes_to(crash_sink& box) {
#if defined(__SANITIZE_THREAD__)
  (void)box;  // it delivers signals when it likes
#else
  sink_of_this_process.store(&box, std::memory_order_relaxed);  // no handler is set yet
  const ssize_t length = ::readlink("/proc/self/exe", program_file.data(), program_file.size() - 1);
  if (length < 0) program_file[0] = '?';
  walk once;  // what is loaded and allocated on first use, is now
  _Unwind_Backtrace(&note_frame, &once);
  stack_t stack{};
  stack.ss_sp = handler_stack.data();
  stack.ss_size = handler_stack.size();
  ::sigaltstack(&stack, nullptr);
  struct sigaction action {};
  action.sa_sigaction = &on_crash;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  for (const int signal : fatal)
    ::sigaction(signal, &action, nullptr);
#endif
}

void stop_crash_reports() noexcept {
  sink_of_this_process.store(nullptr, std::memory_order_relaxed);  // by the thread that runs tasks
}

}  // namespace brigade::os
