// The program pool_host as a child: a host of its own, that a test can kill or put elsewhere.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <brigade/os/pipe.hpp>
#include <brigade/os/poll.hpp>
#include <brigade/os/process.hpp>
#include <brigade/os/spawn.hpp>

#include "executors/processes/pool_support.hpp"

namespace pool_test {

struct host_program {
  os::child_process process;
  os::unique_fd input;
  os::unique_fd output;

  // The next line that it prints.
  [[nodiscard]] std::string line() const {
    std::string text;
    std::byte each{};
    while (os::wait_readable(output.get(), std::chrono::steady_clock::now() + 20s) &&
           os::read_full(output.get(), {&each, 1}) == 1 && each != std::byte{'\n'}) {
      text += static_cast<char>(each);
    }
    return text;
  }
  void go_on() const { os::write_full(input.get(), std::as_bytes(std::span("\n", 1))); }
};

inline host_program start_host(const std::string& what, start_method how,
                               const std::string& sign = "",
                               const std::vector<std::string>& variables = {},
                               const char* program = HELPERS "/pool_host") {
  const bool own_group = what == "ctrl-c";
  os::pipe in = os::make_pipe();
  os::pipe out = os::make_pipe();
  os::spawn_options options;
  options.path = program;
  options.arguments = {"pool_host", what, std::string(to_string(how)), sign};
  options.environment = os::environment();
  for (const std::string& each : variables)
    options.environment->push_back(each);
  options.descriptors = {{in.read_end.get(), 0}, {out.write_end.get(), 1}, {2, 2}};
  options.own_process_group = own_group;
  return {os::spawn(options), std::move(in.write_end), std::move(out.read_end)};
}

}  // namespace pool_test
