// The sanitizers' options of every test program and of the workers it starts; those in the
// environment come on top. A report ends the process. Crashes are left to the kernel, since the
// tests crash workers on purpose and read the signal.
#define CRASHES "handle_segv=0:handle_abort=0:handle_sigbus=0:handle_sigfpe=0:handle_sigill=0"

extern "C" {
const char* __asan_default_options();
const char* __lsan_default_options();
const char* __tsan_default_options();
const char* __ubsan_default_options();

const char* __asan_default_options() { return "halt_on_error=1:detect_leaks=1:" CRASHES; }
const char* __lsan_default_options() { return "print_suppressions=0"; }
const char* __tsan_default_options() {
  return "halt_on_error=1:exitcode=66:second_deadlock_stack=1:" CRASHES;
}
const char* __ubsan_default_options() { return "halt_on_error=1:print_stacktrace=1"; }
}
