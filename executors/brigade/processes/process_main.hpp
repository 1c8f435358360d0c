// What a process does that was started with brigade::process: it runs one call and ends. And who
// it is, which also workers of a pool know of themselves.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include <brigade/os/fd.hpp>
#include <brigade/processes/inheritance.hpp>
#include <brigade/processes/process.hpp>

namespace brigade::detail {

// What is in the first descriptor of a process.
struct process_call {
  process_info self;  // the pid is not known yet
  process_info host;
  unsigned seed = 0;
  std::vector<std::byte> body;  // of a portable_call
  std::string output_mark;      // where output is captured: then stdout and stderr come last
};

[[noreturn]] void run_process(inheritance inherited, make_local_runtime make);

// What the second descriptor holds after its end: the failure, null when there was none.
[[nodiscard]] std::exception_ptr read_failure(int file, const task_identity& about);

// For current_process() and parent_process(), in processes of brigade's.
void enter_process(process_info self, process_info host);

}  // namespace brigade::detail
