// How many CPUs this process may really use: the affinity mask, and the CPU quota of its control
// group and of every group above it. A container with two CPUs' worth of quota on a machine of
// 64 should start two workers, not 64.
//
// The parsers take text, so that they can be tried with any machine's files.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace brigade::os {

struct cpu_budget {
  unsigned affinity = 1;        // CPUs in the mask
  std::optional<double> quota;  // CPUs' worth of time; nullopt when unlimited

  // At least 1; a quota is rounded up, since a fraction of a CPU still needs a thread to use it.
  [[nodiscard]] unsigned usable_cpus() const noexcept;
};

[[nodiscard]] cpu_budget read_cpu_budget();
[[nodiscard]] unsigned usable_cpus();

// The numbers of the CPUs in the calling thread's mask, ascending.
[[nodiscard]] std::vector<unsigned> allowed_cpus();

// "150000 100000" (cpu.max of cgroup v2) is 1.5; "max 100000" and anything else is nullopt.
[[nodiscard]] std::optional<double> parse_cpu_max(std::string_view text);

// cpu.cfs_quota_us and cpu.cfs_period_us of cgroup v1; a quota of -1 is nullopt.
[[nodiscard]] std::optional<double> parse_cfs_quota(std::string_view quota_us,
                                                    std::string_view period_us);

// Where the files of this process's group are: the directories, from its own up to the mount.
struct cgroup_directories {
  std::vector<std::string> v2;
  std::vector<std::string> v1_cpu;
  std::vector<std::string> v1_memory;
};

// `self_cgroup` is the text of /proc/self/cgroup, `mountinfo` of /proc/self/mountinfo.
[[nodiscard]] cgroup_directories find_cgroup_directories(std::string_view self_cgroup,
                                                         std::string_view mountinfo);

// The smallest quota of all those directories. `read` returns a file's text or nullopt.
[[nodiscard]] std::optional<double> smallest_quota(
    const cgroup_directories& directories,
    const std::function<std::optional<std::string>(const std::string& path)>& read);

}  // namespace brigade::os
