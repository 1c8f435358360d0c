// `brigade kitchen`: an evening in which every kitchen cooks the same order several times.
#pragma once

#include <string>
#include <vector>

namespace kitchen {

// Takes the words after the command, returns the exit code. Throws `problem`.
int run_kitchen(std::vector<std::string> words);

}  // namespace kitchen
