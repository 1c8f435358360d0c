// What host and supervisor say to each other, and how two processes find out that they are not of
// one build. The whole protocol, with the frames of host and worker, is drawn in README.md.
//
// One message is one packet. Both sides run the same program; only the hello may come from another
// build, and it says so in its first eight bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include <brigade/processes/process.hpp>
#include <brigade/processes/program.hpp>

namespace brigade::detail {

inline constexpr std::uint32_t protocol_mark = 0x62726770;  // "brgp"
inline constexpr std::uint32_t protocol_version = 1;

// What a process is made of: each module's file and build.
struct module_entry {
  std::string path;
  std::string id;
};
using module_list = std::vector<module_entry>;

[[nodiscard]] module_list own_modules();

// What is wrong with a peer that is made of `there`, in one sentence with the cure; empty when
// nothing is. A module that only one of them has loaded is no fault.
// `same_program`: not where another program plays the workers.
[[nodiscard]] std::string difference(const module_list& here, const module_list& there,
                                     bool same_program = true);

// --- host to supervisor -------------------------------------------------------------------------
// Start a child. Its descriptors come along, of a worker: its end of the channel, its lane,
// its black box, the blocks of large calls and of its large answers; of a process: its call, and
// the file for its failure.
struct start_worker {
  std::uint64_t worker = 0;  // never used twice
  unsigned slot = 0;
  role what = role::worker;
  std::optional<start_method> how = std::nullopt;  // else as the supervisor does
  std::vector<std::string> environment = {};       // "NAME=value", in addition
};
// End a worker: SIGKILL after the grace, and SIGTERM before it when asked for.
struct end_worker {
  std::uint64_t worker = 0;
  bool terminate = false;
  std::uint32_t grace_ms = 0;
};
using supervisor_order = std::variant<start_worker, end_worker>;

// --- supervisor to host -------------------------------------------------------------------------
// A pidfd comes along.
struct worker_started {
  std::uint64_t worker = 0;
  int pid = 0;
  start_method how = start_method::forkserver;  // really: see may_fork() of the supervisor
};
struct worker_not_started {
  std::uint64_t worker = 0;
  std::string why;
};
struct worker_ended {
  std::uint64_t worker = 0;
  std::optional<int> exit_code;
  std::optional<int> signal;
};
using supervisor_report = std::variant<worker_started, worker_not_started, worker_ended>;

// --- the first message of supervisor and worker -------------------------------------------------
struct hello {
  std::uint32_t version = protocol_version;
  module_list modules = {};  // empty when it is a fork of a process that has said it
  // What an initializer or a preload threw; empty when all is well.
  std::vector<std::byte> failure = {};
};

// --- host to worker, first frame ----------------------------------------------------------------
struct worker_setup {
  unsigned slot = 0;
  unsigned seed = 0;  // for std::rand, different for each worker
  process_info host = {};
  std::vector<std::pair<int, std::uint64_t>> limits = {};  // resource of setrlimit(2), value
  int nice = 0;
  std::optional<unsigned> cpu = std::nullopt;
  bool has_initializer = false;  // its bytes are in the descriptor after the black box
  bool crash_reports = false;
  std::size_t max_message_bytes = 0;
  std::string output_mark = {};  // where output is captured: then stdout and stderr come last
};

// Of a worker that can no longer reach its host, because a task has closed the descriptor.
inline constexpr int exit_code_without_channel = 83;
// Of a worker whose shared memory was written over by a task.
inline constexpr int exit_code_lane_lost = 84;

inline constexpr std::size_t most_packet_bytes = 128 * 1024;

[[nodiscard]] std::vector<std::byte> encode_hello(const hello& message);
// Another version comes back with no modules. Throws codec_error.
[[nodiscard]] hello decode_hello(std::span<const std::byte> bytes);
// Empty when the hello of a peer is as it must be, else what to tell the user.
[[nodiscard]] std::string objection_to(const hello& message, bool same_program = true);

}  // namespace brigade::detail
