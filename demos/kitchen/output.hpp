// Complaints on stderr, writing to stdout so that a full disk or a closed pipe is noticed, and
// colour.
#pragma once

#include <string>
#include <string_view>

#include "kitchen/settings.hpp"

namespace kitchen {

// Throws `problem` (environment) when stdout does not take it.
void print(std::string_view text);

// The same for one that is closed, or not for writing: before anything is cooked in vain.
void check_stdout();

// One line on stderr: "brigade: <text>".
void complain(std::string_view text);

// --color, then NO_COLOR, then FORCE_COLOR, then whether stdout is a terminal.
[[nodiscard]] bool use_colour(colour_choice chosen);

// The text, bold or green where `colour` says so.
[[nodiscard]] std::string bold(std::string_view text, bool colour);
[[nodiscard]] std::string green(std::string_view text, bool colour);

}  // namespace kitchen
