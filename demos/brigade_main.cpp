// The program `brigade`: one workload in several kitchens, measured side by side.
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

#include <brigade/base/nearest.hpp>
#include <brigade/brigade.hpp>
#include <brigade/os/fd.hpp>

#include "kitchen/doctor.hpp"
#include "kitchen/evening.hpp"
#include "kitchen/output.hpp"
#include "kitchen/problem.hpp"

namespace {

constexpr std::string_view help_text =
    "brigade runs one workload on several executors, measures, and says which fits and why.\n"
    "\n"
    "Usage: brigade COMMAND [OPTIONS]\n"
    "\n"
    "Commands:\n"
    "  kitchen   Cook the same dishes with an event loop, threads and processes, and compare\n"
    "  doctor    What this machine can run and measure\n"
    "  list      Menus, dishes and executors\n"
    "\n"
    "  brigade COMMAND --help   the options of a command (or: brigade help COMMAND)\n"
    "  brigade --version        the version\n"
    "\n"
    "Try: brigade kitchen --menu slow\n";

constexpr std::array<std::string_view, 4> commands{"kitchen", "doctor", "list", "help"};
constexpr std::array<std::string_view, 2> options{"--help", "--version"};

// Descriptors 0 to 2 are open from here on, so that no file or socket of ours becomes one of them.
// A stdout that was closed takes nothing: what is written there must not seem to have arrived.
void open_standard_descriptors() {
  int fd = 0;
  do {
    const bool for_stdout = !brigade::os::is_open(STDOUT_FILENO) && brigade::os::is_open(0);
    fd = ::open("/dev/null", for_stdout ? O_RDONLY : O_RDWR);
  } while (fd >= 0 && fd <= STDERR_FILENO);
  if (fd >= 0) ::close(fd);
}

int run(const std::vector<std::string>& words) {
  using namespace kitchen;
  if (words.size() > 1 && words[0] == "help") return run({words[1], "--help"});
  if (words.empty() || words[0] == "help" || words[0] == "--help" || words[0] == "-h") {
    print(help_text);
    return static_cast<int>(exit_code::done);
  }
  if (words[0] == "--version") {
    print("brigade " BRIGADE_VERSION "\n");
    return static_cast<int>(exit_code::done);
  }
  const std::vector<std::string> rest(words.begin() + 1, words.end());
  if (words[0] == "kitchen") return run_kitchen(rest);
  if (words[0] == "doctor") {
    run_doctor(rest);
  } else if (words[0] == "list") {
    run_list(rest);
  } else {
    const std::string word = one_line(words[0]);
    if (word.starts_with('-')) {
      throw bad_input("option " + brigade::not_one_of(word, options) +
                      " The options of a command come after it: brigade COMMAND [OPTIONS]");
    }
    throw bad_input("command " + brigade::not_one_of(word, commands));
  }
  return static_cast<int>(exit_code::done);
}

int report(kitchen::exit_code code, const std::string& text) {
  kitchen::complain(text);
  return static_cast<int>(code);
}

}  // namespace

int main(int argc, char** argv) {
  brigade::init(argc, argv);
  open_standard_descriptors();
  ::signal(SIGPIPE, SIG_IGN);  // a closed stdout is an error like any other,
  ::signal(SIGXFSZ, SIG_IGN);  // and so is a file that may not become larger
  try {
    return run({argv + 1, argv + argc});
  } catch (const kitchen::problem& found) {
    return report(found.code(), found.what());
  } catch (const std::exception& fault) {
    return report(kitchen::exit_code::internal,
                  "internal error: " + kitchen::one_line(fault.what()));
  }
}
