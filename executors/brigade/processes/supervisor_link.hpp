// The host's end of its supervisor: starts it, gives it orders, hears its reports, ends it.
//
// Used by one thread at a time. Where one thread owns it for all its life, the supervisor asks to
// be killed when that thread ends; in any case it is when the process does.
#pragma once

#include <chrono>
#include <csignal>
#include <cstdint>
#include <exception>
#include <optional>
#include <span>
#include <string>
#include <variant>

#include <brigade/os/fd.hpp>
#include <brigade/os/lifeline.hpp>
#include <brigade/os/orphans.hpp>
#include <brigade/os/process.hpp>
#include <brigade/processes/nursery.hpp>
#include <brigade/processes/options.hpp>
#include <brigade/processes/protocol.hpp>

namespace brigade::detail {

class supervisor_link {
 public:
  enum class state { down, starting, up };

  enum class follows { thread, process };

  // Throws std::system_error. Precondition: down.
  // With a nursery the supervisor is born there, and follows the process.
  void start(const processes_options& options, follows follow = follows::thread,
             nursery* birthplace = nullptr);

  [[nodiscard]] state phase() const noexcept { return state_; }
  [[nodiscard]] int get() const noexcept { return socket_.get(); }

  // False when the supervisor is gone.
  bool order(const supervisor_order& message, std::span<const int> descriptors = {});

  // Lets a supervisor go on that somebody has stopped (SIGSTOP); nothing to any other.
  void nudge() noexcept { send_signal(SIGCONT); }
  // Its end will be heard.
  void kill() noexcept { send_signal(SIGKILL); }

  struct ended {};
  struct greeted {
    // Empty and null: it is what it should be, and the link is up.
    std::string objection;
    std::exception_ptr failure;  // of the preload
  };
  struct reported {
    supervisor_report report;
    os::unique_fd descriptor;
  };
  // The next message; to be called when the descriptor is readable. Throws codec_error.
  [[nodiscard]] std::variant<ended, greeted, reported> receive();

  // Ends the supervisor and with it whatever workers it has, and waits for it: `grace` at most,
  // then by force. Returns how it ended.
  os::process_end end(std::chrono::milliseconds grace);

 private:
  void send_signal(int signal) noexcept;
  void settle_estate();
  [[nodiscard]] os::child_process start_program(const processes_options& options, follows follow,
                                                int link, int preload);

  state state_ = state::down;
  std::optional<os::lifeline> lifeline_;
  os::unique_fd socket_;
  os::child_process process_;  // one that was exec'd
  os::unique_fd born_;         // the pidfd of one from the nursery, which waits for it
  os::family_mark mark_;       // of the supervisor and all that it starts
  bool same_program_ = true;
};

}  // namespace brigade::detail
