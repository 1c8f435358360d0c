// What this machine is and how far its figures can be trusted.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace kitchen {

struct host_facts {
  unsigned cpus = 1;         // online
  unsigned usable_cpus = 1;  // by affinity and quota
  std::vector<unsigned> affinity;
  std::optional<double> quota_cpus;
  std::string cpu_model;
  std::string kernel;
  std::uint64_t memory_bytes = 0;
  double load_1m = 0;
  std::optional<double> steal_percent;  // since boot; of a virtual machine
  bool counters = false;                // hardware performance counters can be read
  std::string compiler;
  bool debug_build = false;  // not optimised
  std::string sanitizer;     // empty: none
};

[[nodiscard]] host_facts read_host_facts();

// What makes this machine's figures doubtful, a sentence each; empty when nothing does.
[[nodiscard]] std::vector<std::string> doubts_of(const host_facts& host);

// Values of "MemTotal: 16 kB" and of the "cpu" line of /proc/stat, for tests.
[[nodiscard]] std::uint64_t parse_memory_total(const std::string& meminfo);
[[nodiscard]] std::optional<double> parse_steal_percent(const std::string& stat);

}  // namespace kitchen
