#include "kitchen/host_facts.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

using namespace kitchen;

TEST_CASE("memory and steal are read from the kernel's texts") {
  CHECK(parse_memory_total("MemTotal:       16384 kB\nMemFree: 1 kB\n") == 16384u * 1024);
  CHECK(parse_memory_total("") == 0);
  CHECK(parse_steal_percent("cpu  10 0 10 70 0 0 0 10 0 0\n") == 10.0);
  CHECK_FALSE(parse_steal_percent("cpu 1 2 3").has_value());
  CHECK_FALSE(parse_steal_percent("").has_value());
}

TEST_CASE("this machine has what every machine has") {
  const host_facts host = read_host_facts();
  CHECK(host.cpus == static_cast<unsigned>(::sysconf(_SC_NPROCESSORS_ONLN)));
  CHECK(host.usable_cpus >= 1);
  CHECK(host.usable_cpus <= host.affinity.size());
  CHECK(host.memory_bytes > 0);
  CHECK(host.kernel.find("Linux") == 0);
  CHECK_FALSE(host.compiler.empty());
}

TEST_CASE("doubts name what makes figures doubtful") {
  host_facts host;
  host.cpus = host.usable_cpus = 4;
  host.affinity = {0, 1, 2, 3};
  CHECK(doubts_of(host).empty());
  host.debug_build = true;
  host.sanitizer = "thread";
  host.load_1m = 4;
  host.quota_cpus = 1.5;
  host.steal_percent = 9;
  CHECK(doubts_of(host).size() == 5);
}
