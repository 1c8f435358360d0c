// Runs the doctest cases of a program with checks around every case.
//
// A case fails the program when it leaves a descriptor, a process or a thread behind. Call after
// mind(), which adds the watchdog and makes orphans visible.
#pragma once

namespace brigade::testing {

// The exit code of the program.
[[nodiscard]] int run(int argc, char** argv);

}  // namespace brigade::testing
