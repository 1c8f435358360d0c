#include "kitchen/doctor.hpp"

#include <fmt/format.h>
#include <sys/resource.h>

#include <array>
#include <filesystem>
#include <optional>
#include <string_view>
#include <utility>

#include <brigade/os/process.hpp>
#include <brigade/processes/options.hpp>

#include "kitchen/arguments.hpp"
#include "kitchen/host_facts.hpp"
#include "kitchen/json_report.hpp"
#include "kitchen/menu.hpp"
#include "kitchen/output.hpp"
#include "kitchen/settings.hpp"

namespace kitchen {
namespace {

struct limit {
  std::string_view name;
  std::string_view key;
  int resource;
};

constexpr std::array<limit, 5> limits{{
    {"open files", "open_files", RLIMIT_NOFILE},
    {"processes", "processes", RLIMIT_NPROC},
    {"address space", "address_space_bytes", RLIMIT_AS},
    {"locked memory", "locked_memory_bytes", RLIMIT_MEMLOCK},
    {"stack", "stack_bytes", RLIMIT_STACK},
}};

std::string_view note_on(brigade::start_method how) {
  switch (how) {
    case brigade::start_method::forkserver:
      return "default: the supervisor forks the workers";
    case brigade::start_method::spawn:
      return "each worker is a program started anew";
    case brigade::start_method::fork:
      return "the supervisor is a fork of the program while it has one thread";
  }
  return "";
}

std::string yes_no(bool value) { return value ? "yes" : "no"; }

std::string joined(const std::vector<unsigned>& numbers) {
  std::string text;
  for (const unsigned number : numbers)
    text += (text.empty() ? "" : ",") + std::to_string(number);
  return text;
}

std::string doctor_text(const host_facts& host) {
  std::vector<std::pair<std::string, std::string>> rows;
  const auto add = [&](std::string name, std::string value) {
    rows.emplace_back(std::move(name), std::move(value));
  };
  add("CPUs", fmt::format("{} online, {} in the affinity mask ({}), quota {}: {} usable", host.cpus,
                          host.affinity.size(), joined(host.affinity),
                          host.quota_cpus ? fmt::format("{:.2f}", *host.quota_cpus) : "none",
                          host.usable_cpus));
  add("CPU model", host.cpu_model.empty() ? "unknown" : host.cpu_model);
  add("kernel", host.kernel);
  add("memory", fmt::format("{:.1f} GiB", static_cast<double>(host.memory_bytes) / (1u << 30)));
  add("load", fmt::format("{:.2f} over the last minute", host.load_1m));
  add("steal",
      host.steal_percent ? fmt::format("{:.2f} % since boot", *host.steal_percent) : "unknown");
  const auto shown = [](const std::optional<std::uint64_t>& value) {
    return value ? std::to_string(*value) : std::string("unlimited");
  };
  for (const limit& each : limits) {
    const brigade::os::resource_limit value = brigade::os::read_limit(each.resource);
    add("limit: " + std::string(each.name),
        shown(value.soft) + " (can be raised to " + shown(value.hard) + ")");
  }
  std::error_code failure;
  add("temporary files", std::filesystem::temp_directory_path(failure).string());
  for (const brigade::start_method each : brigade::start_methods()) {
    add("start method", fmt::format("{:<10} {}", brigade::to_string(each), note_on(each)));
  }
  add("hardware counters", host.counters ? "available" : "not available");
  add("compiler", host.compiler);
  add("optimised", yes_no(!host.debug_build));
  add("sanitizer", host.sanitizer.empty() ? "none" : host.sanitizer);

  std::string text;
  for (const auto& [name, value] : rows)
    text += fmt::format("{:<22} {}\n", name, value);
  const std::vector<std::string> doubts = doubts_of(host);
  for (const std::string& doubt : doubts)
    text += fmt::format("{:<22} {}\n", "doubt", doubt);
  if (doubts.empty()) text += "Nothing found that makes figures from this machine doubtful.\n";
  return text;
}

std::string doctor_json(const host_facts& host) {
  const auto or_null = [](const std::optional<std::uint64_t>& value) {
    return value ? ordered_json(*value) : ordered_json(nullptr);
  };
  ordered_json found = ordered_json::object();
  for (const limit& each : limits) {
    const brigade::os::resource_limit value = brigade::os::read_limit(each.resource);
    found[std::string(each.key)] = {{"soft", or_null(value.soft)}, {"hard", or_null(value.hard)}};
  }
  ordered_json methods = ordered_json::array();
  for (const brigade::start_method each : brigade::start_methods()) {
    methods.push_back(brigade::to_string(each));
  }
  return json_text({{"schema", "brigade.doctor/1"},
                    {"host", host_json(host)},
                    {"limits", std::move(found)},
                    {"start_methods", std::move(methods)},
                    {"doubts", doubts_of(host)}});
}

}  // namespace

void run_doctor(std::vector<std::string> words) {
  arguments given("brigade doctor", "What this machine can run and measure.");
  given.add_value("--format", "text|json", "What stdout gets (default: text)");
  if (!given.parse(std::move(words))) return;
  constexpr std::array<std::string_view, 2> formats{"text", "json"};
  const auto format = given.value("--format");
  const bool as_json = format && choice(*format, formats) == 1;
  const host_facts host = read_host_facts();
  print(as_json ? doctor_json(host) : doctor_text(host));
}

void run_list(std::vector<std::string> words) {
  arguments given("brigade list", "What there is: commands, kitchens, menus and their dishes.");
  if (!given.parse(std::move(words))) return;
  std::string text =
      "Commands\n  kitchen    cook a menu in each kitchen and compare\n"
      "  doctor     what this machine can run and measure\n"
      "  list       this list\n\nExecutors\n"
      "  serial     one dish after the other, on the main thread\n"
      "  loop       one kitchen, one chef: an event loop on one thread\n"
      "  threads    one crowded kitchen, --chefs threads\n"
      "  processes  --chefs kitchens of one chef each: worker processes\n"
      "  mixed      every dish where it chooses\n\nMenus\n";
  for (const std::string_view name : shipped_menu_names()) {
    text += fmt::format("  {:<10} {}\n", name, shipped_menu_summary(name));
    const menu shipped = parse_menu(shipped_menu_json(name), std::string(name), "menu");
    for (const dish& each : shipped.dishes)
      text += "    " + described(each) + "\n";
  }
  print(text);
}

}  // namespace kitchen
