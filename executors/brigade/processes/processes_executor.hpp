// The executor of worker processes: jobs are encoded in the thread that submits them, and a
// conductor brings them to the workers. See README.md for the protocol and the states.
#pragma once

#include <optional>
#include <vector>

#include <brigade/processes/conductor.hpp>
#include <brigade/processes/options.hpp>
#include <brigade/work/executor.hpp>

namespace brigade::detail {

class processes_executor final : public executor {
 public:
  // Starts nothing yet. Throws std::invalid_argument for absurd options.
  processes_executor(processes_options options, dispatcher& owner)
      : executor(executor_kind::processes, owner), conductor_(std::move(options), owner) {}

  void prepare(job_state& job) noexcept override;
  [[nodiscard]] bool prepare_follower(
      job_state& job, const std::function<void(codec::writer&)>& write) noexcept override;
  void post(work_item& item) noexcept override;
  void interrupt(job_state& job, interruption why) noexcept override {
    conductor_.interrupt(job, why);
  }
  bool kill(job_state& job) noexcept override { return conductor_.kill(job); }
  bool take_back(job_state& job) noexcept override { return conductor_.take_back(job); }
  void wait_outside(job_state& job, std::optional<clock::time_point> deadline) override {
    conductor_.help_until_ready(job, deadline);
  }
  void discard_queued() noexcept override { conductor_.discard_queued(); }
  void kill_running() noexcept override { conductor_.kill_running(); }
  void join() noexcept override { conductor_.join(); }
  bool resize(unsigned workers) override {
    conductor_.resize(workers);
    return true;
  }
  [[nodiscard]] unsigned worker_count() const noexcept override {
    return conductor_.worker_count();
  }
  [[nodiscard]] std::vector<worker_info> workers() const override { return conductor_.workers(); }

 private:
  conductor conductor_;
};

}  // namespace brigade::detail
