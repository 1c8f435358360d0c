// Where the processes of this program live that belong to no pool: their supervisor, and what it
// has told of them.
//
// Made with the first `process` that is started, shared by all of one program, gone with the last.
// Has no thread: whoever wants to know something reads the supervisor's reports. Thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <brigade/os/fd.hpp>
#include <brigade/os/process.hpp>
#include <brigade/processes/nursery.hpp>
#include <brigade/processes/process.hpp>
#include <brigade/processes/protocol.hpp>
#include <brigade/processes/supervisor_link.hpp>

namespace brigade::detail {

class process_house {
 public:
  // The one of this program whose supervisor is that program; empty: this one.
  [[nodiscard]] static std::shared_ptr<process_house> enter(const std::string& worker_program);
  // One of a process's own, whose supervisor is a fork of this program as it is now. Throws
  // worker_start_failed where the program has more than one thread.
  [[nodiscard]] static std::shared_ptr<process_house> make_forked();
  // All in which anybody is.
  [[nodiscard]] static std::vector<std::shared_ptr<process_house>> all();

  explicit process_house(std::string worker_program = {})
      : worker_program_(std::move(worker_program)) {}
  process_house(const process_house&) = delete;
  process_house& operator=(const process_house&) = delete;
  ~process_house();

  // A child, until it is forgotten.
  struct inhabitant {
    std::uint64_t number = 0;
    std::uint64_t supervisor = 0;  // which one of those that were there
    process_info info;
    os::unique_fd pidfd;
    std::optional<os::process_end> end;
  };

  // Throws worker_start_failed, build_mismatch. `order.worker` is chosen here. What is returned
  // stays where it is until it is forgotten; all but its `end` may be read.
  const inhabitant* start(start_worker order, std::span<const int> descriptors,
                          const std::string& name);
  // How it ended. Precondition: its pidfd is readable.
  [[nodiscard]] os::process_end end_of(const inhabitant& child);
  void forget(const inhabitant& child) noexcept;
  [[nodiscard]] std::vector<process_info> alive() const;

 private:
  void start_supervisor(const std::string& name);
  void lose_supervisor() noexcept;
  // One message, by then; false when there was none.
  bool hear(os::deadline until);

  const std::string worker_program_;
  mutable std::mutex mutex_;
  std::optional<nursery> nursery_;
  supervisor_link link_;
  std::uint64_t supervisors_ = 0;
  std::uint64_t last_number_ = 0;
  std::map<std::uint64_t, std::unique_ptr<inhabitant>> children_;
  std::string why_not_;  // of the start that failed last
  std::uint64_t not_started_ = 0;
};

}  // namespace brigade::detail
