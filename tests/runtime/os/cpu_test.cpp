#include <brigade/os/cpu.hpp>

#include <doctest/doctest.h>

#include <map>
#include <system_error>
#include <thread>

#include <brigade/os/thread.hpp>

using namespace brigade;

namespace {

using files = std::map<std::string, std::string>;

std::optional<double> quota_of(std::string_view self_cgroup, std::string_view mountinfo,
                               const files& there) {
  return os::smallest_quota(os::find_cgroup_directories(self_cgroup, mountinfo),
                            [&](const std::string& path) -> std::optional<std::string> {
                              const auto found = there.find(path);
                              if (found == there.end()) return std::nullopt;
                              return found->second;
                            });
}

constexpr std::string_view v2_mount =
    "24 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw\n"
    "29 24 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";

}  // namespace

TEST_CASE("the usable CPUs are the mask's, cut to the quota, rounded up, at least one") {
  CHECK(os::cpu_budget{8, std::nullopt}.usable_cpus() == 8);
  CHECK(os::cpu_budget{8, 1.5}.usable_cpus() == 2);
  CHECK(os::cpu_budget{8, 2.0}.usable_cpus() == 2);
  CHECK(os::cpu_budget{8, 0.1}.usable_cpus() == 1);
  CHECK(os::cpu_budget{2, 64.0}.usable_cpus() == 2);
  CHECK(os::cpu_budget{0, std::nullopt}.usable_cpus() == 1);
  CHECK(os::cpu_budget{4, 1e300}.usable_cpus() == 4);
}

TEST_CASE("this process's budget is what a new thread of it finds") {
  const os::cpu_budget budget = os::read_cpu_budget();
  CHECK(budget.affinity == std::thread::hardware_concurrency());
  CHECK(os::usable_cpus() >= 1);
  CHECK(os::usable_cpus() <= budget.affinity);
}

TEST_CASE("a pinned thread may use one CPU, and others as before") {
  const auto cpus = os::allowed_cpus();
  REQUIRE_FALSE(cpus.empty());
  std::thread([&] {
    os::pin_this_thread(cpus.back());
    CHECK(os::allowed_cpus() == std::vector<unsigned>{cpus.back()});
    CHECK(os::usable_cpus() == 1);
  }).join();
  CHECK(os::allowed_cpus() == cpus);
  CHECK_THROWS_AS(os::pin_this_thread(100'000), std::system_error);
}

TEST_CASE("cpu.max is a quota and a period, or no limit") {
  CHECK(os::parse_cpu_max("150000 100000\n") == 1.5);
  CHECK(os::parse_cpu_max("max 100000\n") == std::nullopt);
  CHECK(os::parse_cpu_max("") == std::nullopt);
  CHECK(os::parse_cpu_max("100000") == std::nullopt);
  CHECK(os::parse_cpu_max("100000 0\n") == std::nullopt);
  CHECK(os::parse_cpu_max("many 100000\n") == std::nullopt);
  CHECK(os::parse_cpu_max("99999999999999999999 1\n") == std::nullopt);
}

TEST_CASE("the quota of the first control groups is -1 when there is none") {
  CHECK(os::parse_cfs_quota("50000\n", "100000\n") == 0.5);
  CHECK(os::parse_cfs_quota("-1\n", "100000\n") == std::nullopt);
  CHECK(os::parse_cfs_quota("", "") == std::nullopt);
}

TEST_CASE("the smallest quota from the own group up to the root counts") {
  const files there{{"/sys/fs/cgroup/a/b/cpu.max", "max 100000\n"},
                    {"/sys/fs/cgroup/a/cpu.max", "200000 100000\n"},
                    {"/sys/fs/cgroup/cpu.max", "800000 100000\n"}};
  CHECK(quota_of("0::/a/b\n", v2_mount, there) == 2.0);
  CHECK(quota_of("0::/\n", v2_mount, there) == 8.0);
  CHECK(quota_of("0::/elsewhere\n", v2_mount, {}) == std::nullopt);
}

TEST_CASE("a container that sees only its own part of the tree finds its quota at the mount") {
  constexpr std::string_view inside =
      "29 24 0:26 /docker/abc /sys/fs/cgroup ro - cgroup2 cgroup rw\n";
  const files there{{"/sys/fs/cgroup/cpu.max", "50000 100000\n"}};
  CHECK(quota_of("0::/docker/abc\n", inside, there) == 0.5);
  CHECK(quota_of("0::/docker/abcdef\n", inside, there) == 0.5);
  CHECK(quota_of("0::/../other\n", inside, there) == 0.5);
}

TEST_CASE("the first control groups keep CPU limits in a hierarchy of its own") {
  constexpr std::string_view self =
      "12:pids:/x\n4:cpu,cpuacct:/kube/pod\n3:cpuset:/y\n1:name=systemd:/z\n0::/z\n";
  constexpr std::string_view mounts =
      "31 24 0:28 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n"
      "32 24 0:29 / /sys/fs/cgroup/cpu,cpuacct rw shared:9 - cgroup cgroup rw,cpu,cpuacct\n"
      "33 24 0:30 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";
  const files there{{"/sys/fs/cgroup/cpu,cpuacct/kube/pod/cpu.cfs_quota_us", "-1\n"},
                    {"/sys/fs/cgroup/cpu,cpuacct/kube/pod/cpu.cfs_period_us", "100000\n"},
                    {"/sys/fs/cgroup/cpu,cpuacct/kube/cpu.cfs_quota_us", "300000\n"},
                    {"/sys/fs/cgroup/cpu,cpuacct/kube/cpu.cfs_period_us", "100000\n"}};
  CHECK(quota_of(self, mounts, there) == 3.0);
}

TEST_CASE("the first control groups count memory in a hierarchy of its own") {
  constexpr std::string_view self = "4:memory:/kube/pod\n3:cpu:/x\n0::/z\n";
  constexpr std::string_view mounts =
      "31 24 0:28 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n"
      "32 24 0:29 /kube /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n";
  using directories = std::vector<std::string>;
  const os::cgroup_directories found = os::find_cgroup_directories(self, mounts);
  CHECK(found.v1_memory == directories{"/sys/fs/cgroup/memory/pod", "/sys/fs/cgroup/memory"});
  CHECK(found.v1_cpu == directories{"/sys/fs/cgroup/cpu/x", "/sys/fs/cgroup/cpu"});
  CHECK(found.v2.empty());
}

TEST_CASE("a mount point with a blank in its name is found") {
  constexpr std::string_view mounts = "29 24 0:26 / /my\\040groups rw - cgroup2 cgroup2 rw\n";
  CHECK(quota_of("0::/\n", mounts, {{"/my groups/cpu.max", "100000 100000\n"}}) == 1.0);
}

TEST_CASE("broken texts are no quota") {
  for (const std::string_view text : {"", "\n", "0", "0:", "0::", ":::", "0::\n29 24"}) {
    CHECK(quota_of(text, text, {}) == std::nullopt);
    CHECK(quota_of("0::/a\n", text, {}) == std::nullopt);
    CHECK(quota_of(text, v2_mount, {}) == std::nullopt);
  }
}
