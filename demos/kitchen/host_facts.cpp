#include "kitchen/host_facts.hpp"

#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <fmt/format.h>
#include <algorithm>
#include <cstdlib>
#include <sstream>

#include <brigade/os/cpu.hpp>
#include <brigade/os/fd.hpp>

namespace kitchen {
namespace {

std::string text_of(const char* path) { return brigade::os::try_read_text_file(path).value_or(""); }

// What stands after "key<blanks>:" on its line.
std::string field(const std::string& text, const std::string& key) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.compare(0, key.size(), key) != 0) continue;
    const auto colon = line.find(':');
    if (colon == std::string::npos) continue;
    const auto start = line.find_first_not_of(" \t", colon + 1);
    return start == std::string::npos ? std::string() : line.substr(start);
  }
  return {};
}

// Whether the kernel lets this process count its own instructions in hardware.
bool counters_work() {
  perf_event_attr wanted{};
  wanted.size = sizeof wanted;
  wanted.type = PERF_TYPE_HARDWARE;
  wanted.config = PERF_COUNT_HW_INSTRUCTIONS;
  wanted.exclude_kernel = 1;
  wanted.exclude_hv = 1;
  const brigade::os::unique_fd fd(
      static_cast<int>(::syscall(SYS_perf_event_open, &wanted, 0, -1, -1, PERF_FLAG_FD_CLOEXEC)));
  return static_cast<bool>(fd);
}

std::string compiler_name() {
#if defined(__clang__)
  return fmt::format("clang++ {}.{}.{}", __clang_major__, __clang_minor__, __clang_patchlevel__);
#else
  return fmt::format("g++ {}.{}.{}", __GNUC__, __GNUC_MINOR__, __GNUC_PATCHLEVEL__);
#endif
}

std::string sanitizer_name() {
#if defined(__SANITIZE_THREAD__)
  return "thread";
#elif defined(__SANITIZE_ADDRESS__)
  return "address";
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
  return "thread";
#elif __has_feature(address_sanitizer)
  return "address";
#else
  return "";
#endif
#else
  return "";
#endif
}

}  // namespace

std::uint64_t parse_memory_total(const std::string& meminfo) {
  return std::strtoull(field(meminfo, "MemTotal").c_str(), nullptr, 10) * 1024;
}

std::optional<double> parse_steal_percent(const std::string& stat) {
  std::istringstream line(stat);
  std::string name;
  line >> name;  // "cpu", then user nice system idle iowait irq softirq steal ...
  double total = 0;
  double steal = 0;
  for (int column = 0; column < 8; ++column) {
    double ticks = 0;
    if (!(line >> ticks)) return std::nullopt;
    total += ticks;
    if (column == 7) steal = ticks;
  }
  return total > 0 ? std::optional(100 * steal / total) : std::nullopt;
}

host_facts read_host_facts() {
  host_facts host;
  const brigade::os::cpu_budget budget = brigade::os::read_cpu_budget();
  host.cpus = static_cast<unsigned>(std::max(1L, ::sysconf(_SC_NPROCESSORS_ONLN)));
  host.usable_cpus = budget.usable_cpus();
  host.affinity = brigade::os::allowed_cpus();
  host.quota_cpus = budget.quota;
  host.cpu_model = field(text_of("/proc/cpuinfo"), "model name");
  utsname system{};
  if (::uname(&system) == 0) {
    host.kernel = fmt::format("{} {} {}", system.sysname, system.release, system.machine);
  }
  host.memory_bytes = parse_memory_total(text_of("/proc/meminfo"));
  host.load_1m = std::strtod(text_of("/proc/loadavg").c_str(), nullptr);
  host.steal_percent = parse_steal_percent(text_of("/proc/stat"));
  host.counters = counters_work();
  host.compiler = compiler_name();
#if !defined(__OPTIMIZE__)
  host.debug_build = true;
#endif
  host.sanitizer = sanitizer_name();
  return host;
}

std::vector<std::string> doubts_of(const host_facts& host) {
  std::vector<std::string> doubts;
  if (host.debug_build) doubts.push_back("this is an unoptimised build: CPU work is overstated");
  if (!host.sanitizer.empty()) {
    doubts.push_back("this build has the " + host.sanitizer + " sanitizer: all figures are off");
  }
  if (host.load_1m > 0.5 * host.usable_cpus) {
    doubts.push_back(fmt::format("the machine is busy: load {:.1f} on {} usable CPUs", host.load_1m,
                                 host.usable_cpus));
  }
  if (host.quota_cpus && *host.quota_cpus < static_cast<double>(host.affinity.size())) {
    doubts.push_back(fmt::format("a quota of {:.1f} CPUs throttles {} CPUs", *host.quota_cpus,
                                 host.affinity.size()));
  }
  if (host.steal_percent.value_or(0) > 2) {
    doubts.push_back(fmt::format("other virtual machines took {:.1f} % of the CPU time since boot",
                                 *host.steal_percent));
  }
  if (host.usable_cpus == 1) doubts.push_back("one usable CPU: nothing can run in parallel");
  return doubts;
}

}  // namespace kitchen
