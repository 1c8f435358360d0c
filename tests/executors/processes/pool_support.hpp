// What the tests of worker processes share: a pool by start method, and signs that tasks give.
#pragma once

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include <doctest/doctest.h>

#include <brigade/base/error.hpp>
#include <brigade/codec/codec.hpp>
#include <brigade/codec/exception.hpp>
#include <brigade/runtime/runtime.hpp>
#include <brigade/work/context.hpp>
#include <brigade/work/sleep.hpp>
#include <brigade/work/submit.hpp>

#include "support/eventually.hpp"

namespace pool_test {

using namespace brigade;
using namespace std::chrono_literals;

inline runtime_options pool_of(unsigned workers, start_method how = start_method::forkserver) {
  runtime_options options;
  options.processes.workers = workers;
  options.processes.start = how;
  options.processes.stop_grace = 60s;  // who obeys does, however late the machine lets it
  return options;
}

// Those that start the program again, and so need init; also where the host has threads.
inline constexpr std::array<start_method, 2> exec_start_methods{start_method::forkserver,
                                                                start_method::spawn};

inline int square(int x) { return x * x; }

// A folder of its own, where tasks put files as signs for the test.
class signs {
 public:
  signs() {
    std::string path = (std::filesystem::temp_directory_path() / "brigade-XXXXXX").string();
    if (::mkdtemp(path.data()) == nullptr) throw std::runtime_error("mkdtemp");
    folder_ = path;
  }
  signs(const signs&) = delete;
  signs& operator=(const signs&) = delete;
  ~signs() { std::filesystem::remove_all(folder_); }

  [[nodiscard]] std::string operator()(const std::string& name) const { return folder_ / name; }
  // Waits for the sign; a test fails without it.
  void await(const std::string& name) const {
    REQUIRE(testing::eventually([&] { return std::filesystem::exists((*this)(name)); }));
  }

 private:
  std::filesystem::path folder_;
};

// In a task: the sign appears at once and whole.
inline void give_sign(const std::string& path) {
  const std::string hidden = path + ".new";
  std::ofstream(hidden) << "here";
  std::filesystem::rename(hidden, path);
}

// Ends only by force.
inline void spin(std::string sign) {
  give_sign(sign);
  const volatile bool always = true;
  while (always) {
  }
}

// The pool takes tasks and its workers are whole.
inline void check_usable(runtime& rt) {
  for (int i = 0; i < 8; ++i)
    CHECK(rt.submit(processes, square, i).get() == i * i);
}

template <class F>
std::string message_of(F&& f) {
  try {
    f();
  } catch (const std::exception& caught) {
    return caught.what();
  }
  return "nothing was thrown";
}

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace pool_test
