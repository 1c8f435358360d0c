#include "program.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

#include <brigade/os/proc.hpp>

namespace brigade::testing {
namespace {

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts)
    pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

// Variables that the program reads are the test's to set.
std::vector<std::string> environment_with(std::vector<std::string> variables,
                                          const std::string& temporary) {
  constexpr const char* ours[] = {"BRIGADE_", "NO_COLOR", "FORCE_COLOR", "TMPDIR"};
  variables.push_back("TMPDIR=" + temporary);
  for (char** each = environ; *each != nullptr; ++each) {
    const std::string_view variable = *each;
    const bool skip = std::any_of(std::begin(ours), std::end(ours),
                                  [&](const char* name) { return variable.starts_with(name); });
    if (!skip || variable.starts_with("BRIGADE_TEST_")) variables.emplace_back(variable);
  }
  return variables;
}

}  // namespace

scratch::scratch() {
  std::string text = (std::filesystem::temp_directory_path() / "brigade-test.XXXXXX").string();
  if (::mkdtemp(text.data()) == nullptr) throw std::runtime_error("mkdtemp " + text);
  path_ = text;
}

scratch::~scratch() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string scratch::write(const std::string& name, const std::string& text) const {
  std::ofstream(file(name)) << text;
  return file(name);
}

std::vector<std::string> scratch::entries() const {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(path_)) {
    names.push_back(entry.path().filename());
  }
  return names;
}

std::string text_of(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

program::program(std::vector<std::string> words, std::vector<std::string> variables,
                 const char* path_variable) {
  const char* path = std::getenv(path_variable);
  if (path == nullptr) throw std::runtime_error(std::string(path_variable) + " is not set");
  words.insert(words.begin(), path);
  std::vector<std::string> environment =
      environment_with(std::move(variables), temporary_.path().string());

  posix_spawn_file_actions_t files;
  ::posix_spawn_file_actions_init(&files);
  const std::string out = output_.file("out");
  const std::string err = output_.file("err");
  ::posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_addopen(&files, 1, out.c_str(), O_WRONLY | O_CREAT, 0600);
  ::posix_spawn_file_actions_addopen(&files, 2, err.c_str(), O_WRONLY | O_CREAT, 0600);
  // Whatever the tests run under: a shell in the background ignores SIGINT, nohup SIGHUP.
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  sigset_t normal;
  ::sigemptyset(&normal);
  for (const int each : {SIGHUP, SIGINT, SIGTERM, SIGPIPE, SIGXFSZ})
    ::sigaddset(&normal, each);
  ::posix_spawnattr_setsigdefault(&attributes, &normal);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
  started_ = std::chrono::steady_clock::now();
  const int failure = ::posix_spawn(&pid_, path, &files, &attributes, pointers_to(words).data(),
                                    pointers_to(environment).data());
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&files);
  if (failure != 0) throw std::runtime_error(std::string("posix_spawn ") + path);
}

program::~program() {
  if (ended_) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

bool program::ended() {
  if (ended_) return true;
  if (::waitpid(pid_, &status_, WNOHANG) != pid_) return false;
  finished_ = std::chrono::steady_clock::now();
  return ended_ = true;
}

void program::look(ids& seen) const {
  std::vector<pid_t> all = os::descendants_of(pid_);
  all.push_back(pid_);
  for (const pid_t process : all) {
    for (const pid_t thread : os::threads_of(process))
      seen.emplace(process, thread);
  }
}

std::string program::errors_so_far() const { return text_of(output_.file("err")); }

void program::signal(int number) const { ::kill(pid_, number); }

outcome program::wait() {
  while (!ended_) {
    if (::waitpid(pid_, &status_, 0) == pid_) {
      finished_ = std::chrono::steady_clock::now();
      ended_ = true;
    } else if (errno != EINTR) {
      throw std::runtime_error("waitpid");
    }
  }
  outcome made;
  made.code = WIFEXITED(status_) ? WEXITSTATUS(status_) : 128 + WTERMSIG(status_);
  made.out = text_of(output_.file("out"));
  made.err = text_of(output_.file("err"));
  made.seconds = std::chrono::duration<double>(finished_ - started_).count();
  return made;
}

outcome run(std::vector<std::string> words, std::vector<std::string> variables,
            const char* path_variable) {
  return program(std::move(words), std::move(variables), path_variable).wait();
}

outcome run_and_look(std::vector<std::string> words, ids& seen, pid_t& host) {
  program running(std::move(words));
  host = running.pid();
  while (!running.ended()) {
    running.look(seen);
    std::this_thread::sleep_for(std::chrono::milliseconds(5));  // pace of looking, not a wait
  }
  return running.wait();
}

}  // namespace brigade::testing
