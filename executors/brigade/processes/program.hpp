// The parts that one program plays: host, supervisor, worker. The part of a process that brigade
// has started is in its first argument.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <brigade/os/fd.hpp>
#include <brigade/processes/options.hpp>
#include <brigade/work/dispatcher.hpp>

namespace brigade::detail {

// The runtime inside a worker process, for tasks that submit to its own loop and threads. The
// floor above knows how to make one.
class local_runtime {
 public:
  virtual ~local_runtime() = default;
  [[nodiscard]] virtual dispatcher& target() noexcept = 0;
};
using make_local_runtime = std::unique_ptr<local_runtime> (*)();

// Plays the part that the arguments say and does not return; in the host it returns, and the
// program is known to be ready for worker processes.
void play_part(int argc, char** argv, make_local_runtime make);

// Whether a process that brigade has started may have workers and processes of its own: a `process`
// may, a worker may not.
void allow_children(bool allowed) noexcept;

// Why this process cannot have worker processes; empty when it can. Those that come by fork, or are
// another program, need no init.
enum class needs_init : bool { no, yes };
[[nodiscard]] std::string objection_to_this_program(needs_init init = needs_init::yes);

// How runtimes inside of workers are made where no play_part() has said it: by the floor above,
// once, while the program is loaded.
void set_local_runtime_maker(make_local_runtime make) noexcept;
[[nodiscard]] make_local_runtime local_runtime_maker() noexcept;

// Plays a supervisor in a process that was forked for it: ends it as the supervisor or as one of
// its children.
[[noreturn]] void play_forked_supervisor(os::unique_fd link, os::unique_fd lifeline,
                                         os::unique_fd preload);

// As ps shows it: what supervisor and workers are called too.
[[nodiscard]] std::string name_of_this_program();

// --- the parts as arguments ---------------------------------------------------------------------
// Descriptors at the start of a process that was exec'd: the lifeline, then what the role needs. A
// supervisor has its link to the host; for the others see start_worker in protocol.hpp.
inline constexpr int lifeline_number = 3;
inline constexpr int first_number = 4;

enum class role : std::uint8_t {
  supervisor,
  worker,   // of a pool
  process,  // a brigade::process
};

struct part {
  role what = role::worker;
  start_method how = start_method::forkserver;  // of a supervisor
  // The process that started it. 0 when a thread of it did that may end before it does: its death
  // is heard through the lifeline alone.
  int parent = 0;
  int descriptors = 1;  // how many it has, beside the lifeline
};
[[nodiscard]] std::string to_argument(const part& played);
// nullopt when it is an argument of the program's own.
[[nodiscard]] std::optional<part> parse_part(std::string_view argument) noexcept;

}  // namespace brigade::detail
