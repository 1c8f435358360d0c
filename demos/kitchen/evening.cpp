#include "kitchen/evening.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include <brigade/measure/comparison.hpp>

#include "kitchen/export_file.hpp"
#include "kitchen/fingerprint.hpp"
#include "kitchen/interrupts.hpp"
#include "kitchen/json_report.hpp"
#include "kitchen/open_kitchen.hpp"
#include "kitchen/output.hpp"
#include "kitchen/pantry.hpp"
#include "kitchen/problem.hpp"
#include "kitchen/settings.hpp"
#include "kitchen/stove.hpp"
#include "kitchen/supplier.hpp"
#include "kitchen/text_report.hpp"
#include "kitchen/trace.hpp"

namespace kitchen {
namespace {

namespace measure = brigade::measure;

// What cannot be done at the end, told when everything else is.
class shortfalls {
 public:
  template <class Act>
  void attempt(Act act) {
    try {
      act();
    } catch (const problem& failed) {
      add(failed);
    }
  }
  void add(const problem& failed) {
    complain(failed.what());
    if (!first_) first_ = failed.code();
  }
  // Of the first one.
  [[nodiscard]] std::optional<exit_code> code() const { return first_; }

 private:
  std::optional<exit_code> first_;
};

// Opened before anything is cooked.
class exports {
 public:
  explicit exports(const settings& chosen) {
    if (chosen.export_json) json_.emplace(*chosen.export_json, "--export-json");
    if (chosen.export_trace) trace_.emplace(*chosen.export_trace, "--export-trace");
    if (json_ && trace_ && json_->same_target(*trace_)) refuse_to_share(*trace_, *json_);
    if (chosen.format != output_format::json) return;
    for (const auto* each : {&json_, &trace_}) {
      if (!*each || !(*each)->on_stdout()) continue;
      throw bad_input((*each)->place() +
                      ": stdout gets the JSON of --format json already; give a file, or leave one "
                      "of them out");
    }
  }
  // Every one that can be written is.
  void commit(const report& all, shortfalls& found) {
    if (json_) found.attempt([&] { json_->commit(report_json(all)); });
    if (trace_) found.attempt([&] { trace_->commit(chrome_trace(all)); });
  }

 private:
  [[noreturn]] static void refuse_to_share(const export_file& one, const export_file& other) {
    throw bad_input(one.place() + ": " + (one.on_stdout() ? "stdout" : in_quotes(one.path())) +
                    " is where " + other.place() + " writes already; give each a file of its own");
  }

  std::optional<export_file> json_;
  std::optional<export_file> trace_;
};

// A chef has one at a time, but on the loop every dish that waits for replies may have its own.
std::size_t connections_at_once(const settings& chosen) {
  const bool on_loop = std::any_of(chosen.kitchens.begin(), chosen.kitchens.end(), [](kind which) {
    return which == kind::loop || which == kind::mixed;
  });
  if (!on_loop) return chosen.chefs;
  const auto& dishes = chosen.dishes.dishes;
  return static_cast<std::size_t>(std::count_if(dishes.begin(), dishes.end(),
                                                [](const dish& each) { return each.replies > 0; }));
}

// What dishes need from outside the kitchens, while this lives. Made before any thread starts.
class provisions {
 public:
  explicit provisions(const settings& chosen) {
    const menu_needs needs = needs_of(chosen.dishes);
    allow_descriptors(connections_at_once(chosen) + 8 * chosen.chefs + 64);
    if (needs.files || needs.replies) {
      supplier_.emplace(supplier_options{needs.files, chosen.tampered_reply});
    }
    if (needs.files) stock_pantry(supplier_->pantry(), chosen.dishes, chosen.seed);
    if (needs.cpu) stirs_per_ms_ = stirs_per_ms();
  }

  [[nodiscard]] std::vector<order> orders(const settings& chosen) const {
    std::vector<order> all;
    for (const dish& each : chosen.dishes.dishes) {
      order made;
      made.index = static_cast<std::uint32_t>(all.size());
      made.wait_us = static_cast<std::uint32_t>(each.wait_ms * 1000);
      made.replies = each.replies;
      made.files = each.files;
      made.file_bytes = each.file_kib * 1024;
      made.stirs = static_cast<std::uint64_t>(each.cpu_ms * stirs_per_ms_);
      made.seed = combined(chosen.seed, made.index);
      if (supplier_) {
        made.supplier_port = supplier_->port();
        made.pantry = supplier_->pantry();
      }
      all.push_back(std::move(made));
    }
    return all;
  }

  // Processes that are not part of any kitchen.
  [[nodiscard]] std::vector<int> outsiders() const {
    return supplier_ ? std::vector<int>{supplier_->pid()} : std::vector<int>{};
  }

 private:
  std::optional<supplier> supplier_;
  double stirs_per_ms_ = 0;
};

// One line on stderr that is written over on a terminal, and a line per round elsewhere.
class progress {
 public:
  explicit progress(const settings& chosen)
      : on_(!chosen.quiet), terminal_(::isatty(STDERR_FILENO) == 1), runs_(chosen.runs) {}
  ~progress() {
    if (on_ && terminal_) std::fputs("\r\x1b[K", stderr);
  }
  progress(const progress&) = delete;

  void tell(int round, const std::string& kitchen) {
    if (!on_) return;
    const std::string line = fmt::format("round {} of {}", round + 1, runs_);
    if (terminal_) {
      std::fputs(fmt::format("\r\x1b[K{}: {}", line, kitchen).c_str(), stderr);
    } else if (round != last_round_) {
      std::fputs((line + "\n").c_str(), stderr);
    }
    std::fflush(stderr);
    last_round_ = round;
  }

 private:
  bool on_;
  bool terminal_;
  unsigned runs_;
  int last_round_ = -1;
};

class evening {
 public:
  explicit evening(const settings& chosen)
      : chosen_(chosen), provisions_(chosen), orders_(provisions_.orders(chosen)) {
    logs_.resize(chosen.kitchens.size());
  }

  // Cooks all rounds, or those that were finished when somebody interrupted.
  measure::comparison_result cook() {
    if (interrupted() != 0) return {};  // while the pantry was stocked
    measure::comparison comparison;
    for (std::size_t i = 0; i < chosen_.kitchens.size(); ++i)
      comparison.add(contestant(i));
    progress shown(chosen_);
    measure::comparison_options options;
    options.runs = static_cast<int>(chosen_.runs);
    options.seed = chosen_.seed;
    options.uncounted = provisions_.outsiders();
    options.on_run = [&](int round, const std::string& name) { shown.tell(round, name); };
    options.give_up = [] { return interrupted() != 0; };
    return comparison.run(options);
  }

  [[nodiscard]] const std::vector<kitchen_log>& logs() const { return logs_; }

 private:
  measure::contestant contestant(std::size_t index) {
    const kind which = chosen_.kitchens[index];
    measure::contestant made;
    made.name = to_string(which);
    made.workers = chefs_of(which, chosen_.dishes, chosen_.chefs);
    made.start = [this, which] { open_.emplace(which, chosen_.dishes, chosen_.chefs); };
    made.run = [this, index](int) { logs_[index].runs.push_back(open_->cook(orders_)); };
    made.stop = [this, index] {
      if (open_) logs_[index].remarks = open_->remarks();
      open_.reset();
    };
    return made;
  }

  const settings& chosen_;
  provisions provisions_;
  std::vector<order> orders_;
  std::vector<kitchen_log> logs_;
  std::optional<open_kitchen> open_;
};

}  // namespace

int run_kitchen(std::vector<std::string> words) {
  const std::optional<settings> chosen = read_settings(std::move(words));
  if (!chosen) return static_cast<int>(exit_code::done);
  check_stdout();
  exports files(*chosen);
  notice_interrupts();
  const host_facts host = read_host_facts();  // before the evening makes the machine busy
  report all;
  {
    evening cooked(*chosen);
    const measure::comparison_result result = cooked.cook();
    all = make_report(*chosen, result.contestants, cooked.logs());
  }
  all.host = host;
  const bool as_text = chosen->format == output_format::text;
  shortfalls found;
  if (!all.failure.empty()) found.add(problem(exit_code::failed, all.failure));
  found.attempt(
      [&] { print(as_text ? text_report(all, use_colour(chosen->colour)) : report_json(all)); });
  files.commit(all, found);
  if (found.code()) return static_cast<int>(*found.code());
  if (interrupted() != 0) return 128 + interrupted();
  return static_cast<int>(exit_code::done);
}

}  // namespace kitchen
