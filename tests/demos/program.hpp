// The real program `brigade`, run as a child and looked at from outside.
//
// The paths of programs are in variables: BRIGADE_PROGRAM, FIRST_TASK_PROGRAM. Their output goes to
// files, so that nobody has to read it while it runs. The environment is this one without what
// would change its behaviour.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace brigade::testing {

struct outcome {
  int code = -1;  // 128 + signal when it was killed
  std::string out;
  std::string err;
  double seconds = 0;  // from start to end, by this process's clock
};

// A directory of its own, removed at the end.
class scratch {
 public:
  scratch();
  scratch(const scratch&) = delete;
  ~scratch();

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::string file(const std::string& name) const { return path_ / name; }
  [[nodiscard]] std::string write(const std::string& name, const std::string& text) const;
  [[nodiscard]] std::vector<std::string> entries() const;

 private:
  std::filesystem::path path_;
};

[[nodiscard]] std::string text_of(const std::string& path);

using ids = std::set<std::pair<pid_t, pid_t>>;  // process, thread

class program {
 public:
  // `variables` are "NAME=value". Its temporary files go to `temporary_files()`.
  explicit program(std::vector<std::string> words, std::vector<std::string> variables = {},
                   const char* path_variable = "BRIGADE_PROGRAM");
  program(const program&) = delete;
  ~program();  // kills it when it still runs

  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] bool ended();
  // Adds all threads of it and of its descendants, as they are now.
  void look(ids& seen) const;
  [[nodiscard]] std::vector<std::string> temporary_files() const { return temporary_.entries(); }
  [[nodiscard]] std::string errors_so_far() const;  // what is on its stderr by now
  void signal(int number) const;
  [[nodiscard]] outcome wait();

 private:
  scratch output_;
  scratch temporary_;
  pid_t pid_ = -1;
  int status_ = 0;
  bool ended_ = false;
  std::chrono::steady_clock::time_point started_;
  std::chrono::steady_clock::time_point finished_;
};

// Runs it to its end.
[[nodiscard]] outcome run(std::vector<std::string> words, std::vector<std::string> variables = {},
                          const char* path_variable = "BRIGADE_PROGRAM");

// The same, meanwhile collecting every thread that it and its descendants have.
[[nodiscard]] outcome run_and_look(std::vector<std::string> words, ids& seen, pid_t& host);

}  // namespace brigade::testing
