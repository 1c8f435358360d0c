// `brigade doctor`: what this machine can run and measure. `brigade list`: what there is to order.
#pragma once

#include <string>
#include <vector>

namespace kitchen {

// Both print to stdout and take the words after the command. Throw `problem`.
void run_doctor(std::vector<std::string> words);
void run_list(std::vector<std::string> words);

}  // namespace kitchen
