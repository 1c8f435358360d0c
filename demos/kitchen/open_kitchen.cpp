#include "kitchen/open_kitchen.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <set>
#include <thread>
#include <utility>

#include "kitchen/clocks.hpp"
#include "kitchen/fingerprint.hpp"
#include "kitchen/interrupts.hpp"
#include "kitchen/problem.hpp"

namespace kitchen {
namespace {

using brigade::executor_kind;
using namespace std::chrono_literals;

// In the mixed kitchen, of a dish that has not chosen.
constexpr executor_kind mixed_default = executor_kind::threads;

std::optional<executor_kind> executor_in(kind which, const dish& each) {
  switch (which) {
    case kind::serial:
      return std::nullopt;
    case kind::loop:
      return executor_kind::loop;
    case kind::threads:
      return executor_kind::threads;
    case kind::processes:
      return executor_kind::processes;
    case kind::mixed:
      return each.executor.value_or(mixed_default);
  }
  return std::nullopt;
}

bool has_dish_on(executor_kind executor, kind which, const menu& dishes) {
  return std::any_of(dishes.dishes.begin(), dishes.dishes.end(),
                     [&](const dish& each) { return executor_in(which, each) == executor; });
}

bool hands_files_over(kind which, const menu& dishes) {
  return std::any_of(dishes.dishes.begin(), dishes.dishes.end(), [&](const dish& each) {
    return each.files > 0 && executor_in(which, each) == executor_kind::loop;
  });
}

using worker_id = std::pair<std::int32_t, std::int32_t>;

// A worker's sign of life. It dwells for a moment, so that its siblings get one to answer too.
worker_id answer(std::int64_t dwell_us) {
  if (dwell_us > 0) std::this_thread::sleep_for(std::chrono::microseconds(dwell_us));
  const brigade::current_task here = brigade::current();
  return {here.pid, here.tid};
}

// Asks until all `count` workers of `executor` have answered.
void wait_for_workers(brigade::runtime& rt, executor_kind executor, unsigned count) {
  const auto deadline = std::chrono::steady_clock::now() + 60s;
  std::set<worker_id> answered;
  for (std::int64_t dwell_us = count == 1 ? 0 : 200;; dwell_us = std::min(2 * dwell_us, 20'000L)) {
    std::vector<brigade::future<worker_id>> questions;
    for (unsigned i = 0; i < count; ++i)
      questions.push_back(rt.submit(executor, answer, dwell_us));
    for (auto& question : questions)
      answered.insert(question.get());
    if (answered.size() >= count) return;
    if (interrupted() != 0) return;
    if (std::chrono::steady_clock::now() > deadline) {
      throw cannot_run(fmt::format("only {} of {} workers of {} have answered after a minute",
                                   answered.size(), count, brigade::to_string(executor)));
    }
  }
}

span_record span_of(const step& taken, bool on_loop, std::int64_t opened_ns) {
  const auto seconds = [&](std::int64_t ns) { return static_cast<double>(ns - opened_ns) / 1e9; };
  const bool waiting = taken.kind == step_kind::timer || taken.kind == step_kind::reply;
  const bool handed_over = taken.kind == step_kind::files && on_loop;
  return {static_cast<span_record::part>(taken.kind), seconds(taken.start_ns),
          seconds(taken.end_ns), !waiting && !handed_over};
}

std::string reason_of(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const std::exception& known) {
    return one_line(known.what());
  } catch (...) {
    return "an exception of an unknown type";
  }
}

}  // namespace

unsigned chefs_of(kind which, const menu& dishes, unsigned chefs) {
  if (which == kind::serial) return 1;
  unsigned count = 0;
  if (has_dish_on(executor_kind::loop, which, dishes)) count += 1;
  if (has_dish_on(executor_kind::threads, which, dishes)) count += chefs;
  if (has_dish_on(executor_kind::processes, which, dishes)) count += chefs;
  return count;
}

open_kitchen::open_kitchen(kind which, const menu& dishes, unsigned chefs)
    : which_(which), dishes_(dishes), chefs_(chefs) {
  if (which_ == kind::serial) return;
  brigade::runtime_options options;
  if (uses(executor_kind::threads)) options.threads.workers = chefs_;
  options.processes.workers = chefs_;
  options.hooks.on_blocked_loop = [this](const brigade::blocked_loop& report) {
    ++blocked_count_;
    blocked_longest_ms_ = std::max<std::int64_t>(blocked_longest_ms_, report.lasted.count());
  };
  try {
    runtime_ = std::make_unique<brigade::runtime>(std::move(options));
    start_workers();
  } catch (const brigade::error& failed) {
    throw cannot_run(
        fmt::format("the {} kitchen cannot open: {}", to_string(which_), one_line(failed.what())));
  }
}

open_kitchen::~open_kitchen() = default;

std::optional<executor_kind> open_kitchen::executor_of(std::size_t dish) const {
  return executor_in(which_, dishes_.dishes[dish]);
}

bool open_kitchen::uses(executor_kind which) const { return has_dish_on(which, which_, dishes_); }

void open_kitchen::start_workers() {
  for (const executor_kind each : brigade::all_executors) {
    const bool helpers = each == executor_kind::threads && hands_files_over(which_, dishes_);
    if (uses(each) || helpers) wait_for_workers(*runtime_, each, runtime_->worker_count(each));
  }
}

run_record open_kitchen::cook(const std::vector<order>& orders) {
  std::vector<plate> plates(orders.size());
  const std::int64_t opened_ns = now_ns();
  if (which_ == kind::serial) {
    cook_serially(orders, plates);
  } else {
    cook_on_runtime(orders, plates);
  }
  run_record run;
  std::uint64_t hash = 0;
  for (std::size_t i = 0; i < plates.size(); ++i) {
    hash = combined(hash, plates[i].served ? plates[i].served->hash : 0);
    run.dishes.push_back(record_of(i, plates[i], opened_ns));
  }
  run.hash = fmt::format("{:016x}", hash);
  return run;
}

void open_kitchen::cook_serially(const std::vector<order>& orders, std::vector<plate>& plates) {
  for (plate& each : plates)
    each.queued_ns = now_ns();
  for (std::size_t i = 0; i < orders.size() && interrupted() == 0; ++i) {
    try {
      plates[i].served = ::kitchen::cook(orders[i]);
    } catch (...) {
      plates[i].failure = reason_of(std::current_exception());
    }
  }
}

void open_kitchen::cook_on_runtime(const std::vector<order>& orders, std::vector<plate>& plates) {
  std::vector<brigade::future<serving>> cooking;
  cooking.reserve(orders.size());
  for (std::size_t i = 0; i < orders.size(); ++i) {
    const brigade::submit_options where{.on = executor_of(i), .name = dishes_.dishes[i].name};
    plates[i].queued_ns = now_ns();
    if (where.on == executor_kind::loop) {
      cooking.push_back(runtime_->submit(where, cook_as_coroutine, orders[i]));
    } else {
      cooking.push_back(runtime_->submit(where, ::kitchen::cook, orders[i]));
    }
  }
  bool stopping = false;
  for (std::size_t i = 0; i < cooking.size(); ++i) {
    while (!stopping && cooking[i].wait_for(200ms) != std::future_status::ready) {
      if (interrupted() == 0) continue;
      stopping = true;
      runtime_->shutdown(brigade::shutdown_mode::kill, 2s);
    }
    try {
      plates[i].served = cooking[i].get();
    } catch (...) {
      plates[i].failure = reason_of(std::current_exception());
    }
  }
}

unsigned open_kitchen::first_chef_of(executor_kind executor) const {
  if (which_ != kind::mixed) return 0;
  unsigned first = 0;
  if (executor == executor_kind::loop) return first;
  if (uses(executor_kind::loop)) first += 1;
  if (executor == executor_kind::threads) return first;
  if (uses(executor_kind::threads)) first += chefs_;
  return first;
}

dish_record open_kitchen::record_of(std::size_t dish, const plate& made,
                                    std::int64_t opened_ns) const {
  const auto seconds = [&](std::int64_t ns) { return static_cast<double>(ns - opened_ns) / 1e9; };
  const std::optional<executor_kind> executor = executor_of(dish);
  dish_record record;
  record.name = dishes_.dishes[dish].name;
  record.executor = executor ? brigade::to_string(*executor) : to_string(kind::serial);
  record.queued_s = seconds(made.queued_ns);
  if (!made.served) {
    record.start_s = record.end_s = record.queued_s;
    record.outcome = made.failure.empty() ? "not started" : made.failure;
    return record;
  }
  const serving& served = *made.served;
  record.chef = served.worker + (executor ? first_chef_of(*executor) : 0);
  record.pid = served.pid;
  record.tid = served.tid;
  record.start_s = seconds(served.start_ns);
  record.end_s = seconds(served.end_ns);
  record.cpu_s = static_cast<double>(served.cpu_ns) / 1e9;
  record.outcome = "done";
  for (const step& each : served.steps) {
    record.parts.push_back(span_of(each, executor == executor_kind::loop, opened_ns));
  }
  return record;
}

std::vector<std::string> open_kitchen::remarks() const {
  std::vector<std::string> all;
  if (runtime_ && hands_files_over(which_, dishes_)) {
    all.push_back(fmt::format("file work of the loop was handed to {} threads",
                              runtime_->worker_count(executor_kind::threads)));
  }
  if (blocked_count_ > 0) {
    all.push_back(fmt::format("CPU work kept the loop from turning, for up to {} ms",
                              blocked_longest_ms_.load()));
  }
  return all;
}

}  // namespace kitchen
