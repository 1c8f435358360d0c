// The host's view of one place in the pool: the worker process that fills it now, and the task
// that the worker runs.
//
// The conductor's thread owns it. What other threads may look at or ask for is named below and is
// guarded by the conductor's mutex; the conductor writes those fields under it too.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include <brigade/os/fd.hpp>
#include <brigade/processes/black_box.hpp>
#include <brigade/processes/options.hpp>
#include <brigade/sync/timer_heap.hpp>
#include <brigade/wire/channel.hpp>
#include <brigade/wire/host_lane.hpp>
#include <brigade/work/job_state.hpp>

namespace brigade::detail {

enum class worker_phase : std::uint8_t {
  none,      // the place is empty
  starting,  // asked for, has not said that it is ready
  ready,     // idle or with a task
  ending,    // condemned: it gets no more tasks, what it still sends is taken
};

// In order of force: a stronger one may follow a weaker one.
enum class end_request : std::uint8_t {
  none,
  gently,     // its channel is closed; SIGKILL after a grace
  terminate,  // SIGTERM, SIGKILL after a grace
  kill,       // SIGKILL
};

// Why a running task was disturbed.
enum class disturbance : std::uint8_t { none, cancelled, deadline, killed };

// A job that waits in the worker's memory, behind the one that the worker runs. It can be taken
// back until the worker takes it.
struct lent_job {
  job_state* job = nullptr;
  std::uint64_t call = 0;
  bool started = false;                     // the worker has taken it, so its job runs
  disturbance pending = disturbance::none;  // for when it comes to the head
};

struct worker_slot {
  // --- guarded: written by the conductor, read by all --------------------------------------------
  worker_phase phase = worker_phase::none;
  int pid = 0;
  bool channel_ended = false;
  // Kept by whoever sleeps on it too.
  std::shared_ptr<wire::host_lane> lane;
  // --- guarded: written by all -------------------------------------------------------------------
  job_state* job = nullptr;  // that it runs; holds the body's reference
  std::uint64_t call = 0;    // its number in the lane
  bool on_its_way = false;   // chosen, but not written yet: a thread is about to
  std::uint64_t choice = 0;  // number of that choice, never used twice
  bool came_back = false;    // taken back for an interruption: to be settled
  bool by_message = false;   // its body or its answer goes over the channel
  std::deque<lent_job> lent;
  clock::time_point head_since{};
  std::int64_t service_ns = 0;  // of a task, lately; 0: not known
  end_request wanted = end_request::none;
  disturbance cause = disturbance::none;
  bool decided = false;                          // the outcome was claimed by a kill
  std::optional<clock::time_point> obey_before;  // the stop token was signalled
  bool kill_disobedient = false;                 // SIGKILL then, not SIGTERM
  // --- the conductor's own -----------------------------------------------------------------------
  unsigned index = 0;
  std::uint64_t worker = 0;  // number of the process, never used twice
  os::unique_fd pidfd;
  wire::channel channel;
  end_request sent = end_request::none;
  std::optional<clock::time_point> act_at;  // it should be ready; its end should be reported
  std::vector<std::byte> unsent;  // the frame of a call that is waiting to be sent; guarded
  bool greeted = false;           // its ready frame has come
  bool was_ready = false;
  // Its life so far; see worker_life.hpp.
  black_box box;
  start_method how = start_method::forkserver;
  std::uint64_t tasks = 0;                      // that it has ended
  std::uint64_t warm_bytes = 0;                 // private memory after its first task
  unsigned presses = 0;                         // for the report of its end, see press_for_end()
  bool out_of_memory = false;                   // the kernel killed it for that
  bool worn_out = false;                        // it has had its tasks, or has grown too much
  std::optional<clock::time_point> idle_until;  // it ends then

  // Whether it may be given a job.
  [[nodiscard]] bool has_room() const noexcept {
    return idle() && !worn_out && wanted == end_request::none;
  }
  [[nodiscard]] bool idle() const noexcept {
    return phase == worker_phase::ready && job == nullptr && !channel_ended;
  }
};

}  // namespace brigade::detail
