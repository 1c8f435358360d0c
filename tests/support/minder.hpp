// A process that minds the test program from outside.
//
// `mind()` splits the program in two at the very start of main(): the child starts it once more and
// runs the tests; the parent waits for it, ends a case that takes too long, adopts what the tests
// orphan, and fails the program when something outlives it. It is a process and not a thread so
// that the tests may count their threads, children and signals, and may fork while they have one
// thread.
//
// With BRIGADE_TEST_MINDED in the environment nothing is split: workers that are started from the
// test program inherit it, and `BRIGADE_TEST_MINDED=1 gdb ...` debugs without a minder.
#pragma once

#include <chrono>
#include <string_view>

namespace brigade::testing {

// Call first in main(), with one thread. Returns in the process that runs the tests.
void mind(char** argv);

// The minder's process id, or 0 when nobody minds.
[[nodiscard]] int minder_pid() noexcept;

// The time one case may take: 200 s, more under a sanitizer, or BRIGADE_TEST_TIMEOUT seconds.
[[nodiscard]] std::chrono::milliseconds case_timeout();

// What is still ending (a joined thread stays in /proc for a moment) has this long to go: 20 s, far
// above the moment, since a machine may take the CPU away for seconds; BRIGADE_TEST_GRACE sets it.
[[nodiscard]] std::chrono::milliseconds grace();

// From here on the case `name` runs and may take case_timeout(); until case_ended().
void case_started(std::string_view name) noexcept;
void case_ended() noexcept;

}  // namespace brigade::testing
