#include "kitchen/output.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <system_error>

#include <brigade/os/fd.hpp>

#include "kitchen/problem.hpp"

namespace kitchen {
namespace {

bool is_set(const char* variable) {
  const char* value = std::getenv(variable);
  return value != nullptr && *value != '\0';
}

std::string marked(std::string_view code, std::string_view text, bool colour) {
  if (!colour) return std::string(text);
  return "\x1b[" + std::string(code) + "m" + std::string(text) + "\x1b[0m";
}

[[noreturn]] void refuse_stdout(int error_number) {
  throw cannot_run("cannot write to stdout: " + system_text(error_number));
}

}  // namespace

void check_stdout() {
  const int flags = ::fcntl(STDOUT_FILENO, F_GETFL);
  if (flags < 0 || (flags & O_ACCMODE) == O_RDONLY) refuse_stdout(EBADF);
}

void print(std::string_view text) {
  try {
    brigade::os::write_full(STDOUT_FILENO, std::as_bytes(std::span(text)));
  } catch (const std::system_error& failed) {
    refuse_stdout(failed.code().value());
  }
}

void complain(std::string_view text) {
  const std::string line = "brigade: " + std::string(text) + "\n";
  std::fputs(line.c_str(), stderr);
}

bool use_colour(colour_choice chosen) {
  if (chosen != colour_choice::automatic) return chosen == colour_choice::always;
  if (is_set("NO_COLOR")) return false;
  if (is_set("FORCE_COLOR")) return true;
  return ::isatty(STDOUT_FILENO) == 1;
}

std::string bold(std::string_view text, bool colour) { return marked("1", text, colour); }
std::string green(std::string_view text, bool colour) { return marked("1;32", text, colour); }

}  // namespace kitchen
