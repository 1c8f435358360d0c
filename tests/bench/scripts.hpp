// Rivals in other languages: programs of their own that print one figure.
#pragma once

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>

#include "bench.hpp"

namespace bench {

inline contender script(const std::string& name, const std::string& command) {
  return {name, [command] {
            std::FILE* const out = ::popen((command + " 2>/dev/null").c_str(), "r");
            double value = 0;
            const int read = out != nullptr ? std::fscanf(out, "%lf", &value) : 0;
            if (out == nullptr || ::pclose(out) != 0 || read != 1) {
              throw std::runtime_error(command + " failed");
            }
            return sample{value, 0, 0};
          }};
}

inline bool has(const char* command) {
  return std::system((std::string(command) + " >/dev/null 2>&1").c_str()) == 0;
}

inline const std::string python = "python3 " BENCH_SOURCES "/processes_rivals.py ";

inline bool has_python() { return has("python3 -c 'import multiprocessing'"); }

}  // namespace bench
