// A caller that waits for a job of the pool reads the answers itself, instead of sleeping behind
// the conductor's thread: one wake-up less, and none when the answer is there.
//
// One caller at a time leads. While it is awake workers tell nobody; while it sleeps they wake it,
// on a word of their own memory each. When it leaves they tell the conductor's thread again.
#include <brigade/processes/conductor.hpp>

#include <algorithm>
#include <array>
#include <new>
#include <vector>

#include <brigade/os/futex.hpp>
#include <brigade/processes/reading_right.hpp>
#include <brigade/wire/pause.hpp>

namespace brigade::detail {
namespace {

struct watched_call {
  std::shared_ptr<wire::host_lane> lane;  // stays mapped while it is watched
  std::uint64_t call = 0;
};

bool is_open(wire::host_lane::standing seen) noexcept {
  using standing = wire::host_lane::standing;
  return seen == standing::waiting || seen == standing::taken || seen == standing::running;
}

bool any_closed(const std::vector<watched_call>& calls) noexcept {
  return !std::ranges::all_of(
      calls, [](const watched_call& each) { return is_open(each.lane->look(each.call)); });
}

// Whether something happened within the time that a wake-up would cost.
bool spin(const job_state& job, const std::vector<watched_call>& calls) noexcept {
  for (unsigned round = 0; round < wire::spin_rounds; ++round) {
    if (job.ready() || any_closed(calls)) return true;
    wire::pause_for_a_moment();
  }
  return false;
}

void tell_all(const std::vector<watched_call>& calls, wire::host_wait how) noexcept {
  for (const watched_call& each : calls)
    each.lane->tell_me(how);
}

}  // namespace

void conductor::help_until_ready(job_state& job, std::optional<clock::time_point> deadline) {
  bool leads = false;
  {
    const locked lock(mutex_);
    leads = !led_ && slots_.size() < os::most_watched && thread_.joinable();
    if (leads) led_ = true;
    last_led_ = clock::now();
  }
  if (leads) {
    try {
      lead(job, deadline);
    } catch (const std::bad_alloc&) {  // no memory for the words to watch: the thread reads
    }
    stop_leading();
  }
  job.sleep_until_ready(deadline);  // unless it is, or the deadline has passed
}

void conductor::stop_leading() {
  const locked lock(mutex_);
  led_ = false;
  last_led_ = clock::now();
  if (watchful_) return;  // the thread looks by itself, and this caller may come again first
  for (const worker_slot& slot : slots_) {
    if (slot.job != nullptr && slot.lane) slot.lane->tell_me(wire::host_wait::by_message);
  }
  if (any_answer()) note_news();
}

void conductor::lead(job_state& job, std::optional<clock::time_point> deadline) {
  std::vector<watched_call> calls;
  std::vector<os::futex_watch> words;
  for (;;) {
    {
      const reading_right right(*this);
      read_answers(&job);
    }
    if (job.ready() || (deadline && clock::now() >= *deadline)) return;
    calls.clear();
    bool may_spin = false;
    bool answered = false;  // since it read: nobody is told of that
    {
      const locked lock(mutex_);
      may_spin = busy_ + 1 <= cpus_;
      for (const worker_slot& slot : slots_) {
        if (slot.job == nullptr || slot.on_its_way || slot.by_message) continue;
        if (is_open(slot.lane->look(slot.call))) {
          calls.push_back({slot.lane, slot.call});
        } else if (slot.wanted == end_request::none) {  // else its end is what there is to wait for
          answered = true;
        }
      }
    }
    if (answered) continue;
    if (may_spin && !calls.empty() && habit_.is_worth_it()) {
      tell_all(calls, wire::host_wait::none);
      const bool seen = spin(job, calls);
      habit_.note(seen);
      if (seen) continue;
    }
    tell_all(calls, wire::host_wait::by_futex);
    if (any_closed(calls)) {
      tell_all(calls, wire::host_wait::none);
      continue;
    }
    words.assign(1, {});  // the job's own
    for (const watched_call& each : calls) {
      words.push_back({&each.lane->host_word(),
                       static_cast<std::uint32_t>(wire::host_wait::by_futex),
                       os::futex_scope::shared});
    }
    const std::optional<bool> slept = job.sleep_beside(words, deadline);
    tell_all(calls, wire::host_wait::none);
    if (!slept) return;
  }
}

}  // namespace brigade::detail
