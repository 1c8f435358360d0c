// A worker that the kernel kills for want of memory: how that is counted, and one that really is.
#include <brigade/processes/oom.hpp>

#include <cerrno>
#include <csignal>

#include <sys/stat.h>
#include <unistd.h>

#include <brigade/os/cpu.hpp>
#include <brigade/os/proc.hpp>

#include "executors/processes/host_program.hpp"

using namespace pool_test;

namespace {

void put(const std::string& path, const std::string& text) {
  const std::string hidden = path + ".new";
  std::ofstream(hidden) << text;
  std::filesystem::rename(hidden, path);
}

const detail::clock::time_point start = detail::clock::now();

// A control group below this process's own, whose members may have so much memory. Not everywhere
// may one be made: that takes a writable hierarchy whose memory controller is delegated to groups
// below this one. Then it is empty.
class small_group {
 public:
  explicit small_group(std::uint64_t bytes) {
    for (const std::string& own : own_groups()) {
      const std::string made = own + "/brigade-test-" + std::to_string(::getpid());
      if (::mkdir(made.c_str(), 0755) != 0) continue;
      folder_ = made;
      const bool limited = write("memory.max", bytes) || write("memory.limit_in_bytes", bytes);
      // Else it would be swapped out for a long time first.
      const bool unswapped =
          write("memory.swap.max", 0) || write("memory.memsw.limit_in_bytes", bytes);
      if (limited && (unswapped || !has_swap())) return;
      remove();
    }
  }
  small_group(const small_group&) = delete;
  small_group& operator=(const small_group&) = delete;
  ~small_group() { remove(); }

  [[nodiscard]] explicit operator bool() const noexcept { return !folder_.empty(); }
  [[nodiscard]] bool take_in(pid_t pid) const {
    return write("cgroup.procs", static_cast<std::uint64_t>(pid));
  }

 private:
  // In version 2 and, where that has no memory controller, in version 1.
  static std::vector<std::string> own_groups() {
    std::vector<std::string> found;
    for (const std::string& each : detail::oom_counters()) {
      const std::size_t at = each.rfind("/memory.events");
      if (at != each.npos) found.push_back(each.substr(0, at));
    }
    std::ifstream groups("/proc/self/cgroup");
    for (std::string line; std::getline(groups, line);) {
      const std::size_t at = line.find(":memory:");
      if (at != line.npos) found.push_back("/sys/fs/cgroup/memory" + line.substr(at + 8));
    }
    return found;
  }
  static bool has_swap() {
    std::ifstream swaps("/proc/swaps");
    std::string line;
    return std::getline(swaps, line) && std::getline(swaps, line);
  }
  bool write(const std::string& file, std::uint64_t value) const {
    const std::string path = folder_ + "/" + file;
    if (!std::filesystem::exists(path)) return false;
    std::ofstream out(path);
    out << value << std::flush;
    return out.good();
  }
  void remove() {
    if (folder_.empty()) return;
    // EBUSY while the last of its members is still ending.
    CHECK(testing::eventually([&] { return ::rmdir(folder_.c_str()) == 0 || errno != EBUSY; }));
    folder_.clear();
  }

  std::string folder_;
};

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool sanitized = true;
#else
constexpr bool sanitized = false;
#endif

// The kernel may be told to give up altogether.
bool kernel_kills_only() {
  int how = 0;
  return std::ifstream("/proc/sys/vm/panic_on_oom") >> how && how != 2;
}

}  // namespace

TEST_CASE("kills for want of memory are read where the kernel writes them") {
  CHECK(detail::parse_oom_kills("low 0\nhigh 0\nmax 1\noom 1\noom_kill 3\n") == 3);
  CHECK(detail::parse_oom_kills("oom_kill 12") == 12);
  CHECK_FALSE(detail::parse_oom_kills("oom_group_kill 5\nxoom_kill 4\n"));
  CHECK_FALSE(detail::parse_oom_kills(""));
  CHECK(detail::parse_oom_kills("oom_kill_disable 0\nunder_oom 0\noom_kill 2\n") == 2);
  CHECK(detail::oom_counters().back() == "/proc/vmstat");
}

TEST_CASE("each kill is taken once, and those before the watch never") {
  const signs sign;
  const std::string events = sign("memory.events");
  put(events, "low 0\noom 4\noom_kill 3\noom_group_kill 0\n");
  detail::oom_watch watch;
  watch.count_in({sign("none"), events, "/proc/vmstat"});
  CHECK_FALSE(watch.take_kill(start));
  put(events, "low 0\noom 5\noom_kill 5\noom_group_kill 0\n");
  CHECK(watch.take_kill(start));
  CHECK(watch.take_kill(start));
  CHECK_FALSE(watch.take_kill(start));
  std::filesystem::remove(events);  // the group has gone
  CHECK_FALSE(watch.take_kill(start));
  put(events, "oom_kill 6\n");
  CHECK(watch.take_kill(start));
}

TEST_CASE("kills that nobody took in time were of other processes") {
  const signs sign;
  const std::string events = sign("memory.events");
  put(events, "oom_kill 1\n");
  detail::oom_watch watch;
  watch.count_in({events});
  put(events, "oom_kill 4\n");
  CHECK(watch.take_kill(start));
  CHECK(watch.take_kill(start + 1s));
  CHECK_FALSE(watch.take_kill(start + 2s + 1ms));
  put(events, "oom_kill 5\n");
  CHECK(watch.take_kill(start + 9s));
  watch.count_in({events});  // the same: it goes on
  put(events, "oom_kill 6\n");
  CHECK(watch.take_kill(start + 9s));
}

TEST_CASE("a file without a count is passed over, and where there is none nothing happens") {
  const signs sign;
  put(sign("old"), "low 0\nhigh 0\nmax 0\noom 0\n");  // before Linux 4.13
  put(sign("vmstat"), "nr_free_pages 7\noom_kill 1\n");
  detail::oom_watch watch;
  watch.count_in({sign("old"), sign("vmstat")});
  put(sign("old"), "oom_kill 9\n");
  CHECK_FALSE(watch.take_kill(start));
  put(sign("vmstat"), "nr_free_pages 3\noom_kill 2\n");
  CHECK(watch.take_kill(start));
  detail::oom_watch blind;
  blind.count_in({sign("none")});
  CHECK_FALSE(blind.take_kill(start));
}

TEST_CASE("a worker that the kernel kills for want of memory is told from one that is killed") {
  if (sanitized) return;  // what they need themselves is more than the group has
  const small_group group(std::uint64_t{128} << 20);
  if (!group || !kernel_kills_only()) {
    MESSAGE("no control group with a limit of memory can be made below this process's own");
    return;
  }
  host_program host = start_host("hoard", start_method::forkserver);
  REQUIRE(host.line() == "ready");
  if (!group.take_in(host.process.pid())) {
    MESSAGE("no process can be moved to a control group");
    host.process.kill(SIGKILL);
    host.process.wait();
    return;
  }
  host.go_on();
  const std::string hoarder = host.line();
  CAPTURE(hoarder);
  CHECK(hoarder.starts_with("memory 9 "));
  CHECK(contains(hoarder, "for want of memory"));
  const std::string killed = host.line();
  CAPTURE(killed);
  CHECK(killed.starts_with("other 9 "));
  CHECK(host.line() == "result 49");
  CHECK(host.process.wait() == os::process_end{0, std::nullopt});
}
