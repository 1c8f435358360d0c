#include <brigade/processes/death.hpp>

#include <cstdio>
#include <string_view>

#include <brigade/os/crash_handler.hpp>
#include <brigade/processes/protocol.hpp>

namespace brigade::detail {
namespace {

// In the text; all of them are in the error.
constexpr std::size_t most_frames_told = 4;

std::string hex(std::uint64_t number) {
  char text[32];
  std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(number));
  return text;
}

// The innermost frame is told in any case; of the others those that the reader may have written.
bool is_of_the_program(const std::string& frame) {
  constexpr std::string_view not_written[] = {
      "libc.so",  "libstdc++.so", "libc++.so",  "libc++abi.so", "libgcc_s.so",   "libm.so",
      "ld-linux", "libasan.so",   "libtsan.so", "libubsan.so",  "libbrigade.so", "linux-vdso"};
  for (const std::string_view module : not_written) {
    if (frame.starts_with(module) || frame.find("(" + std::string(module)) != frame.npos) {
      return false;
    }
  }
  return frame.find("std::__") == frame.npos && frame.find("brigade::detail::") == frame.npos;
}

}  // namespace

worker_death death_of(const worker_slot& slot, const os::process_end& end, bool started) {
  worker_death death;
  death.pid = slot.pid;
  death.exit_code = end.exit_code;
  death.signal = end.signal;
  death.started = started;
  death.worker = slot.index;
  death.out_of_memory = slot.out_of_memory;
  std::optional<crash> crashed = slot.box.read_crash();
  if (!crashed || !end.signal) return death;
  if (*end.signal != crashed->signal && *end.signal != os::hung_handler_signal) return death;
  death.signal = crashed->signal;
  death.fault_address = crashed->fault_address;
  death.backtrace = std::move(crashed->backtrace);
  return death;
}

std::string describe(const worker_death& death, const worker_slot& slot) {
  if (!death.exit_code && !death.signal) return "ended with its supervisor";
  std::string text = os::describe(os::process_end{death.exit_code, death.signal});
  const bool cut_off = slot.channel_ended && slot.sent == end_request::kill;
  if (cut_off || death.exit_code == exit_code_without_channel) {
    text += ", having closed its connection to the host,";
  }
  if (!cut_off && death.exit_code == exit_code_lane_lost) {
    text += ", having written over the memory that it shares with the host,";
  }
  if (death.out_of_memory) text += " for want of memory";
  if (death.fault_address) text += " at address " + hex(*death.fault_address);
  std::size_t told = 0;
  for (const std::string& frame : death.backtrace) {
    if (told == most_frames_told) break;
    if (told != 0 && !is_of_the_program(frame)) continue;
    text += (told == 0 ? " in " : ", called by ") + frame;
    ++told;
  }
  if (death.backtrace.size() > told) text += " and others";
  return text;
}

}  // namespace brigade::detail
