#include <brigade/processes/process_house.hpp>

#include <csignal>
#include <utility>

#include <brigade/base/error.hpp>
#include <brigade/os/poll.hpp>

namespace brigade::detail {
namespace {

constexpr std::chrono::milliseconds boot_limit{20000};
constexpr std::chrono::milliseconds end_grace{1000};
// Between the end of a child and the supervisor's report of it.
constexpr std::chrono::milliseconds report_limit{10000};

// Of this process: one that was forked from another starts afresh.
struct registry {
  std::mutex mutex;
  int owner = 0;
  std::map<std::string, std::weak_ptr<process_house>> shared;  // by program
  std::vector<std::weak_ptr<process_house>> all;

  void begin() {
    if (owner != os::process_id()) {
      shared.clear();
      all.clear();
    }
    owner = os::process_id();
    std::erase_if(shared, [](const auto& each) { return each.second.expired(); });
    std::erase_if(all, [](const auto& each) { return each.expired(); });
  }
};

registry& houses() {
  static registry known;
  return known;
}

[[noreturn]] void fail(const std::string& name, const std::string& why) {
  throw worker_start_failed("process '" + name + "' cannot be started: " + why, {name, 0, {}});
}

}  // namespace

std::vector<std::shared_ptr<process_house>> process_house::all() {
  registry& known = houses();
  const std::lock_guard lock(known.mutex);
  known.begin();
  std::vector<std::shared_ptr<process_house>> found;
  for (const auto& each : known.all) {
    if (auto house = each.lock()) found.push_back(std::move(house));
  }
  return found;
}

std::shared_ptr<process_house> process_house::enter(const std::string& worker_program) {
  registry& known = houses();
  const std::lock_guard lock(known.mutex);
  known.begin();
  std::weak_ptr<process_house>& shared = known.shared[worker_program];
  std::shared_ptr<process_house> house = shared.lock();
  if (!house) {
    house = std::make_shared<process_house>(worker_program);
    shared = house;
    known.all.push_back(house);
  }
  return house;
}

std::shared_ptr<process_house> process_house::make_forked() {
  auto house = std::make_shared<process_house>();
  house->nursery_.emplace();
  registry& known = houses();
  const std::lock_guard lock(known.mutex);
  known.begin();
  known.all.push_back(house);
  return house;
}

process_house::~process_house() { link_.end(end_grace); }

void process_house::start_supervisor(const std::string& name) {
  ++supervisors_;
  processes_options options;
  options.share_cpus = false;
  options.worker_program = worker_program_;
  if (nursery_) options.start = start_method::fork;
  try {
    link_.start(options, supervisor_link::follows::process, nursery_ ? &*nursery_ : nullptr);
  } catch (const std::exception& failure) {
    fail(name, std::string("its supervisor cannot be started: ") + failure.what());
  }
}

void process_house::lose_supervisor() noexcept {
  link_.end(std::chrono::milliseconds(0));  // its children die with it
}

bool process_house::hear(os::deadline until) {
  if (!os::wait_readable(link_.get(), until)) return false;
  auto message = link_.receive();
  if (std::holds_alternative<supervisor_link::ended>(message)) {
    lose_supervisor();
    return true;
  }
  if (const auto* greeting = std::get_if<supervisor_link::greeted>(&message)) {
    if (greeting->objection.empty()) return true;
    lose_supervisor();
    throw build_mismatch("a process cannot be started: " + greeting->objection, {});
  }
  auto& reported = std::get<supervisor_link::reported>(message);
  const auto number = std::visit([](const auto& report) { return report.worker; }, reported.report);
  const auto found = children_.find(number);
  if (const auto* failed = std::get_if<worker_not_started>(&reported.report)) {
    not_started_ = failed->worker;
    why_not_ = failed->why;
  } else if (found == children_.end()) {
    return true;  // forgotten
  } else if (const auto* started = std::get_if<worker_started>(&reported.report)) {
    found->second->info.pid = started->pid;
    found->second->pidfd = std::move(reported.descriptor);
  } else {
    const auto& ended = std::get<worker_ended>(reported.report);
    found->second->end = os::process_end{ended.exit_code, ended.signal};
  }
  return true;
}

const process_house::inhabitant* process_house::start(start_worker order,
                                                      std::span<const int> descriptors,
                                                      const std::string& name) {
  const std::lock_guard lock(mutex_);
  const auto limit = std::chrono::steady_clock::now() + boot_limit;
  // One that has died unnoticed is found out by the first order: then once more.
  for (int attempt = 0; attempt < 2; ++attempt) {
    if (link_.phase() == supervisor_link::state::down) start_supervisor(name);
    while (link_.phase() == supervisor_link::state::starting) {
      if (hear(limit)) continue;
      lose_supervisor();
      fail(name,
           "the supervisor process did not reach brigade::init(argc, argv) in time; it must "
           "be the first line of main()");
    }
    order.worker = ++last_number_;
    if (!link_.order(supervisor_order(order), descriptors)) {
      lose_supervisor();
      continue;
    }
    auto made = std::make_unique<inhabitant>();
    made->number = order.worker;
    made->supervisor = supervisors_;
    made->info.name = name;
    inhabitant* const child = children_.emplace(order.worker, std::move(made)).first->second.get();
    while (link_.phase() == supervisor_link::state::up && !child->pidfd) {
      if (not_started_ == order.worker || !hear(limit)) break;
    }
    if (child->pidfd) return child;
    children_.erase(order.worker);
    if (not_started_ == order.worker) fail(name, why_not_);
    if (link_.phase() == supervisor_link::state::up) {
      lose_supervisor();
      fail(name, "the supervisor process does not answer");
    }
  }
  fail(name,
       "the supervisor process ended; brigade::init(argc, argv) must be the first line of "
       "main()");
}

os::process_end process_house::end_of(const inhabitant& child) {
  const std::lock_guard lock(mutex_);
  const auto limit = std::chrono::steady_clock::now() + report_limit;
  link_.nudge();
  while (!child.end && child.supervisor == supervisors_ &&
         link_.phase() == supervisor_link::state::up) {
    if (!hear(limit)) return {};
  }
  if (!child.end) (void)os::try_reap(child.pidfd);  // as the pool does
  // Who died with the supervisor was killed by the kernel.
  return child.end.value_or(os::process_end{std::nullopt, SIGKILL});
}

void process_house::forget(const inhabitant& child) noexcept {
  const std::lock_guard lock(mutex_);
  children_.erase(child.number);
}

std::vector<process_info> process_house::alive() const {
  const std::lock_guard lock(mutex_);
  std::vector<process_info> found;
  for (const auto& [number, child] : children_) {
    if (child->pidfd && !os::wait_readable(child->pidfd.get(), os::deadline{})) {
      found.push_back(child->info);
    }
  }
  return found;
}

}  // namespace brigade::detail
