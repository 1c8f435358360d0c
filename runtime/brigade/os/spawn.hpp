// Starts a program as a child with exactly the descriptors it is meant to have.
//
// Made with posix_spawn, so that the cost does not grow with the caller's memory (8 MiB or 8 GiB
// alike) and no code of the caller runs between fork and exec. The child starts with every signal
// at its default action and none blocked. Safe in a program with threads.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <brigade/os/process.hpp>

namespace brigade::os {

struct descriptor_mapping {
  int here;   // open in this process
  int there;  // its number in the child
};

struct spawn_options {
  // The program's file; by default this very program, also when its file has been replaced.
  std::string path = "/proc/self/exe";
  std::vector<std::string> arguments;                   // with argv[0]
  std::optional<std::vector<std::string>> environment;  // "NAME=value"; nullopt: this process's
  // What the child has open. Of 0, 1 and 2 those that are not named are /dev/null.
  std::vector<descriptor_mapping> descriptors;
  bool own_process_group = false;  // then the terminal's Ctrl-C does not reach it
};

// Throws std::system_error when the program cannot be started.
[[nodiscard]] child_process spawn(const spawn_options& options);

}  // namespace brigade::os
