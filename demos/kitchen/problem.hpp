// Why the program stops early, as the user should read it: one line of text and an exit code.
//
// Whoever finds the problem throws it; main prints "brigade: <text>" on stderr and exits. Text from
// outside (arguments, file contents) goes through `in_quotes`, so that a problem is always one
// line.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace kitchen {

// What the shell sees.
enum class exit_code : int {
  done = 0,         // also when it is too close to call
  failed = 1,       // a dish failed, or kitchens disagree about the results
  usage = 2,        // bad arguments, menu or file
  environment = 3,  // this machine cannot run it, or does not take the output
  internal = 5,     // a fault of the program
};

class problem : public std::runtime_error {
 public:
  problem(exit_code code, const std::string& text) : std::runtime_error(text), code_(code) {}
  [[nodiscard]] exit_code code() const noexcept { return code_; }

 private:
  exit_code code_;
};

[[nodiscard]] inline problem bad_input(const std::string& text) { return {exit_code::usage, text}; }
[[nodiscard]] inline problem cannot_run(const std::string& text) {
  return {exit_code::environment, text};
}

// `text` with control characters escaped and cut to a readable length.
[[nodiscard]] std::string one_line(std::string_view text);

// The same between single quotes.
[[nodiscard]] std::string in_quotes(std::string_view text);

// "No such file or directory" for ENOENT.
[[nodiscard]] std::string system_text(int error_number);

}  // namespace kitchen
