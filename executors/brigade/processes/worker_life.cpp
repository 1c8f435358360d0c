#include <brigade/processes/worker_life.hpp>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <random>
#include <stdexcept>
#include <string_view>

#include <brigade/os/cpu.hpp>
#include <brigade/os/crash_handler.hpp>
#include <brigade/os/memfd.hpp>
#include <brigade/os/process.hpp>
#include <brigade/os/thread.hpp>
#include <brigade/processes/output_reader.hpp>

namespace brigade::detail {
namespace {

constexpr std::array<std::string_view, 3> thread_variables{
    "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"};

bool defines(const std::vector<std::string>& variables, const std::string& start) {
  return std::ranges::any_of(variables,
                             [&](const std::string& each) { return each.starts_with(start); });
}

std::vector<std::pair<int, std::uint64_t>> resources_of(const worker_limits& limits) {
  std::vector<std::pair<int, std::uint64_t>> resources;
  const auto add = [&](int resource, const std::optional<std::uint64_t>& value) {
    if (value) resources.emplace_back(resource, *value);
  };
  add(RLIMIT_DATA, limits.memory_bytes);
  if (limits.cpu_time) add(RLIMIT_CPU, static_cast<std::uint64_t>(limits.cpu_time->count()));
  add(RLIMIT_NOFILE, limits.open_files);
  add(RLIMIT_FSIZE, limits.file_bytes);
  add(RLIMIT_CORE, limits.core_bytes);
  return resources;
}

// Lets the handlers of crashes write into a black box.
class box_of_this_process final : public os::crash_sink {
 public:
  explicit box_of_this_process(const black_box& box) noexcept : box_(&box) {}
  void begin_crash(int signal, std::optional<std::uint64_t> address) noexcept override {
    box_->begin_crash(signal, address);
  }
  void add_frame(const char* file, std::uint64_t offset) noexcept override {
    box_->add_frame(file, offset);
  }

 private:
  const black_box* box_;
};

}  // namespace

void check_life(const processes_options& options) {
  const auto refuse = [](const std::string& what) {
    throw std::invalid_argument("processes_options: " + what);
  };
  if (options.idle_timeout < std::chrono::milliseconds(0)) {
    refuse(std::to_string(options.idle_timeout.count()) + " ms is no time to be idle");
  }
  if (options.limits.cpu_time && *options.limits.cpu_time < std::chrono::seconds(1)) {
    refuse("limits.cpu_time is at least a second");
  }
  if (options.nice < -20 || options.nice > 19) {
    refuse("nice " + std::to_string(options.nice) + " is not within -20 to 19");
  }
  const std::vector<unsigned> allowed = os::allowed_cpus();
  for (const unsigned cpu : options.cpus) {
    if (std::ranges::find(allowed, cpu) != allowed.end()) continue;
    refuse("CPU " + std::to_string(cpu) + " is none that this process may use");
  }
  try {
    static_cast<void>(variables_of(options.environment));
  } catch (const std::invalid_argument& wrong) {
    refuse(wrong.what());
  }
}

std::vector<std::string> variables_of(const environment_list& list) {
  std::vector<std::string> variables;
  for (const auto& [name, value] : list) {
    if (name.empty() || name.find('=') != name.npos || name.find('\0') != name.npos) {
      throw std::invalid_argument("environment: '" + name.substr(0, name.find('\0')) +
                                  "' names no variable");
    }
    if (value.find('\0') != value.npos) {
      throw std::invalid_argument("environment: the value of '" + name + "' has a zero byte");
    }
    variables.push_back(name + "=" + value);
  }
  return variables;
}

worker_setup setup_of(const processes_options& options, unsigned slot) {
  worker_setup setup;
  setup.slot = slot;
  setup.seed = std::random_device{}();
  setup.host = current_process();
  setup.limits = resources_of(options.limits);
  setup.nice = options.nice;
  if (options.pin) {
    const std::vector<unsigned> cpus = options.cpus.empty() ? os::allowed_cpus() : options.cpus;
    setup.cpu = cpus[slot % cpus.size()];
  }
  setup.crash_reports = options.crash_reports;
  setup.max_message_bytes = options.max_message_bytes;
  setup.has_initializer = static_cast<bool>(options.initializer);
  if (options.on_output) setup.output_mark = make_output_mark();
  return setup;
}

std::vector<std::string> pool_variables(const processes_options& options) {
  std::vector<std::string> variables = variables_of(options.environment);
  if (!options.share_cpus) return variables;
  const std::vector<std::string> known = os::environment();
  const unsigned share = std::max(1U, os::usable_cpus() / std::max(1U, options.workers));
  for (const std::string_view name : thread_variables) {
    const std::string start = std::string(name) + "=";
    if (defines(known, start) || defines(variables, start)) continue;
    variables.push_back(start + std::to_string(share));
  }
  return variables;
}

std::vector<std::string> worker_variables(const processes_options& options, unsigned slot) {
  if (!options.environment_of) return {};
  return variables_of(options.environment_of(slot));
}

void settle_in(const worker_setup& setup, int initializer, const black_box& box,
               remote_host& host) {
  std::srand(setup.seed);
  if (setup.crash_reports) {
    static box_of_this_process into(box);  // reached from a signal handler: one per process
    os::report_crashes_to(into);
  }
  if (setup.cpu) os::pin_this_thread(*setup.cpu);
  if (setup.nice != 0) os::add_nice(setup.nice);
  for (const auto& [resource, value] : setup.limits) {
    // The kernel's notice comes at the soft limit, the end by force at the hard one.
    if (resource == RLIMIT_CPU) {
      os::set_limit(resource, value, value + 1);
    } else {
      os::set_limit(resource, value, value);
    }
  }
  if (!setup.has_initializer) return;
  box.note(black_box::stage::initializing);
  const os::mapping bytes(initializer, os::sealed_memfd_bytes(initializer),
                          os::mapping::access::read_only);
  portable_call::run(bytes.bytes(), host);
}

}  // namespace brigade::detail
