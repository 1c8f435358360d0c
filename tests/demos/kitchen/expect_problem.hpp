// Runs something that should be refused and returns the one line that says why.
#pragma once

#include <string>

#include "kitchen/problem.hpp"

namespace kitchen::testing {

// "" when nothing was thrown; marks what is not one line, and what has another exit code.
template <class Act>
std::string problem_of(Act&& act, exit_code expected = exit_code::usage) {
  try {
    act();
  } catch (const problem& found) {
    std::string text = found.what();
    if (text.find('\n') != std::string::npos) text = "(several lines) " + text;
    if (found.code() != expected) text = "(another exit code) " + text;
    return text;
  }
  return {};
}

}  // namespace kitchen::testing
