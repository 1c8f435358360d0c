#include <brigade/processes/program.hpp>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <cstdlib>
#include <stdexcept>

#include <brigade/os/fd.hpp>
#include <brigade/processes/process_main.hpp>
#include <brigade/processes/supervisor.hpp>
#include <brigade/processes/worker.hpp>
#include <brigade/work/context.hpp>

namespace brigade::detail {
namespace {

constexpr std::string_view prefix = "brigade:";
constexpr std::string_view worker_word = "worker";
constexpr std::string_view process_word = "process";

// Whether main() has called init: true of a process once and for all.
std::atomic<bool> ready{false};
// Whether this is a process of brigade's that may start others.
std::atomic<bool> may_have_children{false};
std::atomic<make_local_runtime> maker{nullptr};

// A descriptor that came by its number, from now on one that no child program inherits.
os::unique_fd take(int number) {
  const os::unique_fd inherited(number);
  return os::duplicate(number, lifeline_number);
}

// By its number, also after main() has changed argv. Empty when there is none.
std::string argument_of_this_process(unsigned number) {
  const std::string line = os::try_read_text_file("/proc/self/cmdline").value_or("");
  std::size_t begin = 0;
  for (; number > 0 && begin < line.size(); --number) {
    begin = std::min(line.find('\0', begin), line.size() - 1) + 1;
  }
  return line.substr(begin, line.find('\0', begin) - begin);
}

[[noreturn]] void play_child(inheritance inherited, make_local_runtime make) {
  if (inherited.what == role::process) run_process(std::move(inherited), make);
  run_worker(std::move(inherited), make);
}

void play_supervisor(const part& played, os::unique_fd link, os::unique_fd lifeline,
                     os::unique_fd preload, make_local_runtime make) {
  std::optional<inheritance> child;
  {
    supervisor self(std::move(link), std::move(lifeline), played);
    child = self.run(std::move(preload));
  }
  if (child) play_child(std::move(*child), make);
}

void play_exec_supervisor(const part& played, make_local_runtime make) {
  os::unique_fd lifeline = take(lifeline_number);
  os::unique_fd link = take(first_number);
  os::unique_fd preload;
  if (played.descriptors > 1) preload = take(first_number + 1);
  play_supervisor(played, std::move(link), std::move(lifeline), std::move(preload), make);
}

[[noreturn]] void play_exec_child(const part& played, make_local_runtime make) {
  inheritance inherited;
  inherited.what = played.what;
  inherited.lifeline = take(lifeline_number);
  for (int each = 0; each < played.descriptors; ++each) {
    inherited.descriptors.push_back(take(first_number + each));
  }
  inherited.parent = played.parent;
  inherited.is_fork = false;
  play_child(std::move(inherited), make);
}

// What is before the next colon, which goes too.
std::string_view take_field(std::string_view& text) noexcept {
  const std::string_view field = text.substr(0, text.find(':'));
  text.remove_prefix(std::min(field.size() + 1, text.size()));
  return field;
}

bool read_number(std::string_view text, int& number) noexcept {
  const auto [end, failure] = std::from_chars(text.begin(), text.end(), number);
  return failure == std::errc{} && end == text.end();
}

std::string_view word_of(const part& played) noexcept {
  switch (played.what) {
    case role::supervisor:
      return to_string(played.how);
    case role::process:
      return process_word;
    default:
      return worker_word;
  }
}

}  // namespace

std::string to_argument(const part& played) {
  std::string text(prefix);
  text += word_of(played);
  return text + ":" + std::to_string(played.parent) + ":" + std::to_string(played.descriptors);
}

std::optional<part> parse_part(std::string_view argument) noexcept {
  if (!argument.starts_with(prefix)) return std::nullopt;
  argument.remove_prefix(prefix.size());
  const std::string_view word = take_field(argument);
  part found;
  if (!read_number(take_field(argument), found.parent)) return std::nullopt;
  if (!read_number(argument, found.descriptors)) return std::nullopt;
  if (word == worker_word) return found;
  found.what = role::process;
  if (word == process_word) return found;
  found.what = role::supervisor;
  for (const start_method how : all_start_methods) {
    found.how = how;
    if (word == to_string(how)) return found;
  }
  return std::nullopt;
}

void play_part(int argc, char** argv, make_local_runtime make) {
  const std::optional<part> played =
      argc == 2 && argv != nullptr ? parse_part(argv[1]) : std::nullopt;
  if (!played) {
    ready.store(true, std::memory_order_relaxed);  // a fact of its own, nothing goes with it
    return;
  }
  const int end = first_number + played->descriptors;
  for (int number = lifeline_number; number < end; ++number) {
    if (os::is_open(number)) continue;
    throw std::runtime_error("brigade: the argument '" + std::string(argv[1]) +
                             "' is for processes that brigade starts itself; leave it out");
  }
  if (played->what != role::supervisor) play_exec_child(*played, make);
  play_exec_supervisor(*played, make);
  std::exit(0);
}

std::string name_of_this_program() { return argument_of_this_process(0); }

void play_forked_supervisor(os::unique_fd link, os::unique_fd lifeline, os::unique_fd preload) {
  part played;
  played.what = role::supervisor;
  played.how = start_method::fork;
  play_supervisor(played, std::move(link), std::move(lifeline), std::move(preload),
                  local_runtime_maker());
  std::exit(0);
}

void set_local_runtime_maker(make_local_runtime make) noexcept {
  maker.store(make, std::memory_order_relaxed);  // while the program is loaded, by one thread
}

make_local_runtime local_runtime_maker() noexcept {
  return maker.load(std::memory_order_relaxed);  // as above
}

void allow_children(bool allowed) noexcept {
  may_have_children.store(allowed, std::memory_order_relaxed);  // before there is a second thread
}

std::string objection_to_this_program(needs_init init) {
  if (may_have_children.load(std::memory_order_relaxed)) return {};  // as above
  if (is_worker_process()) {
    return "this is a worker process of a pool, which starts no processes of its own: return the "
           "work to the host and submit it there, or use loop or threads";
  }
  if (init == needs_init::no) return {};
  if (parse_part(argument_of_this_process(1))) {
    return "this process was started by brigade as a worker, but its main() did not pass its "
           "arguments to brigade::init(argc, argv) first";
  }
  if (ready.load(std::memory_order_relaxed)) return {};
  return "worker processes are this program started again, and it does not say so yet: call "
         "brigade::init(argc, argv) as the first line of main()";
}

}  // namespace brigade::detail
