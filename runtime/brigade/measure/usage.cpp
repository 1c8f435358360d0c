#include <brigade/measure/usage.hpp>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include <brigade/os/clock.hpp>
#include <brigade/os/proc.hpp>
#include <brigade/os/process.hpp>
#include <brigade/os/signal.hpp>
#include <brigade/os/thread.hpp>

namespace brigade::measure {
namespace {

using std::chrono::nanoseconds;
using std::chrono::steady_clock;

usage from(const os::resource_usage& counted) {
  return {counted.user, counted.system, counted.switches.voluntary, counted.switches.involuntary};
}

// Of another process and those that it has waited for.
usage read_usage_of(pid_t pid) {
  usage used;
  const auto stat = os::read_process_stat(pid);
  if (!stat) return used;
  used.user = stat->user;
  used.system = stat->system;
  if (const auto exact = os::process_cpu_time(pid)) {
    // stat counts in steps of 10 ms: it only divides the exact time into user and system.
    const double ticks = static_cast<double>((stat->user + stat->system).count());
    const double share = ticks > 0 ? static_cast<double>(stat->system.count()) / ticks : 0.0;
    used.system =
        nanoseconds(static_cast<nanoseconds::rep>(share * static_cast<double>(exact->count())));
    used.user = *exact - used.system;
  }
  used.user += stat->waited_children_user;
  used.system += stat->waited_children_system;
  const os::context_switches switches = os::read_context_switches(pid);
  used.voluntary_switches = switches.voluntary;
  used.involuntary_switches = switches.involuntary;
  return used;
}

std::uint64_t pss_of(pid_t pid) {
  const auto memory = os::read_memory(pid);
  return memory ? memory->pss_bytes : 0;
}

std::vector<pid_t> counted_descendants(const std::vector<int>& uncounted) {
  std::vector<pid_t> pids = os::descendants_of(os::process_id());
  std::erase_if(pids, [&](pid_t pid) {
    return std::find(uncounted.begin(), uncounted.end(), pid) != uncounted.end();
  });
  return pids;
}

}  // namespace

usage operator-(const usage& after, const usage& before) noexcept {
  const auto less = [](auto a, auto b) { return a > b ? a - b : decltype(a - b){}; };
  return {less(after.user, before.user), less(after.system, before.system),
          less(after.voluntary_switches, before.voluntary_switches),
          less(after.involuntary_switches, before.involuntary_switches)};
}

usage operator+(const usage& a, const usage& b) noexcept {
  return {a.user + b.user, a.system + b.system, a.voluntary_switches + b.voluntary_switches,
          a.involuntary_switches + b.involuntary_switches};
}

usage read_usage(const std::vector<int>& uncounted) {
  usage sum = from(os::read_resource_usage(os::usage_of::this_process)) +
              from(os::read_resource_usage(os::usage_of::waited_children));
  for (const pid_t pid : counted_descendants(uncounted))
    sum = sum + read_usage_of(pid);
  return sum;
}

std::uint64_t read_pss_bytes(const std::vector<int>& uncounted) {
  std::uint64_t sum = pss_of(os::process_id());
  for (const pid_t pid : counted_descendants(uncounted))
    sum += pss_of(pid);
  return sum;
}

struct peak_sampler::state {
  std::mutex mutex;
  std::condition_variable stopped;
  bool stopping = false;
  std::uint64_t highest = 0;  // the thread's own until it is joined
  usage cost;                 // likewise
  std::atomic<std::uint64_t> looks{0};
  std::thread thread;

  void run(std::chrono::milliseconds period, const std::vector<int>& uncounted) {
    os::set_thread_name("brigade-sampler");
    for (bool last = false; !last;) {
      const auto begin = steady_clock::now();
      highest = std::max(highest, read_pss_bytes(uncounted));
      looks.fetch_add(1, std::memory_order_relaxed);  // a count that publishes nothing
      const nanoseconds pause = std::max<nanoseconds>(period, 20 * (steady_clock::now() - begin));
      std::unique_lock lock(mutex);
      const bool already = stopping;
      last = stopped.wait_for(lock, pause, [&] { return stopping; }) && already;
    }
    cost = from(os::read_resource_usage(os::usage_of::this_thread));
  }
};

peak_sampler::peak_sampler(std::chrono::milliseconds period, std::vector<int> uncounted)
    : state_(std::make_unique<state>()) {
  const os::blocked_signals blocked;  // the program's signals are for its own threads
  state_->thread = std::thread([state = state_.get(), period, uncounted = std::move(uncounted)] {
    state->run(period, uncounted);
  });
}

peak_sampler::~peak_sampler() { (void)stop(); }

std::uint64_t peak_sampler::stop() {
  if (state_->thread.joinable()) {
    {
      const std::lock_guard lock(state_->mutex);
      state_->stopping = true;
    }
    state_->stopped.notify_one();
    state_->thread.join();
  }
  return state_->highest;
}

std::uint64_t peak_sampler::looks() const noexcept {
  return state_->looks.load(std::memory_order_relaxed);  // as where it is written
}

usage peak_sampler::cost() const noexcept { return state_->cost; }

}  // namespace brigade::measure
