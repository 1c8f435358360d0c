#include <brigade/os/cpu.hpp>

#include <sched.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include <brigade/os/fd.hpp>
#include <brigade/os/system_failure.hpp>

namespace brigade::os {
namespace {

// The fields of a line, separated by one or more of `separator`.
std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> fields;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(separator), text.size());
    if (end > 0) fields.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return fields;
}

std::optional<double> parse_number(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.remove_suffix(1);
  long long value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return static_cast<double>(value);
}

std::optional<double> ratio(std::optional<double> quota, std::optional<double> period) {
  if (!quota || !period || *quota <= 0 || *period <= 0) return std::nullopt;
  return *quota / *period;
}

bool has_word(std::string_view list, std::string_view word) {
  const auto words = split(list, ',');
  return std::find(words.begin(), words.end(), word) != words.end();
}

// mountinfo(5) writes blanks and backslashes in paths as \040 and the like.
std::string unescape(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned code = 0;
    const bool escape =
        text[i] == '\\' && i + 3 < text.size() &&
        std::from_chars(text.data() + i + 1, text.data() + i + 4, code, 8).ptr ==
            text.data() + i + 4;
    plain += escape ? static_cast<char>(code) : text[i];
    if (escape) i += 3;
  }
  return plain;
}

// The group's path in each hierarchy, from lines such as "0::/user.slice" and "4:cpu,cpuacct:/".
struct group_paths {
  std::optional<std::string> v2;
  std::optional<std::string> v1_cpu;
  std::optional<std::string> v1_memory;
};

group_paths parse_self_cgroup(std::string_view text) {
  group_paths paths;
  for (const std::string_view line : split(text, '\n')) {
    const std::size_t first = line.find(':');
    const std::size_t second = first == line.npos ? line.npos : line.find(':', first + 1);
    if (second == line.npos) continue;
    const std::string_view controllers = line.substr(first + 1, second - first - 1);
    const std::string path(line.substr(second + 1));
    if (!path.starts_with('/')) continue;
    if (controllers.empty()) paths.v2 = path;
    if (has_word(controllers, "cpu")) paths.v1_cpu = path;
    if (has_word(controllers, "memory")) paths.v1_memory = path;
  }
  return paths;
}

// From the group's own directory up to the mount point. A container often mounts only its own
// part of the tree: then `root` is that part's path, or the group's path lies outside of it.
std::vector<std::string> directories_up(std::string path, const std::string& root,
                                        const std::string& mount_point) {
  if (root != "/") {
    const bool inside = path.starts_with(root) &&
                        (path.size() == root.size() || path[root.size()] == '/');
    path = inside ? path.substr(root.size()) : std::string{};
  }
  while (!path.empty() && path.back() == '/') path.pop_back();
  std::vector<std::string> directories;
  while (!path.empty()) {
    directories.push_back(mount_point + path);
    path.resize(path.rfind('/'));
  }
  directories.push_back(mount_point);
  return directories;
}

}  // namespace

unsigned cpu_budget::usable_cpus() const noexcept {
  const unsigned most = std::max(affinity, 1U);
  if (!quota || *quota >= most) return most;
  return std::max(static_cast<unsigned>(std::ceil(*quota)), 1U);
}

std::vector<unsigned> allowed_cpus() {
  // The kernel refuses a mask that is smaller than its own (EINVAL): grow until it fits.
  for (std::size_t count = 1024; count <= (1U << 20); count *= 4) {
    cpu_set_t* set = CPU_ALLOC(count);
    if (set == nullptr) throw_system_failure(ENOMEM, "CPU_ALLOC");
    const std::size_t bytes = CPU_ALLOC_SIZE(count);
    CPU_ZERO_S(bytes, set);
    const int failed = ::sched_getaffinity(0, bytes, set) == -1 ? errno : 0;
    std::vector<unsigned> cpus;
    for (unsigned cpu = 0; failed == 0 && cpu < count; ++cpu) {
      if (CPU_ISSET_S(cpu, bytes, set)) cpus.push_back(cpu);
    }
    CPU_FREE(set);
    if (failed == 0) return cpus;
    if (failed != EINVAL) throw_system_failure(failed, "sched_getaffinity");
  }
  throw_system_failure(EINVAL, "sched_getaffinity");
}

std::optional<double> parse_cpu_max(std::string_view text) {
  const std::size_t space = text.find(' ');
  if (space == text.npos) return std::nullopt;
  return ratio(parse_number(text.substr(0, space)), parse_number(text.substr(space + 1)));
}

std::optional<double> parse_cfs_quota(std::string_view quota_us, std::string_view period_us) {
  return ratio(parse_number(quota_us), parse_number(period_us));
}

cgroup_directories find_cgroup_directories(std::string_view self_cgroup,
                                           std::string_view mountinfo) {
  const group_paths paths = parse_self_cgroup(self_cgroup);
  cgroup_directories found;
  for (const std::string_view line : split(mountinfo, '\n')) {
    // proc(5): id parent major:minor root mount-point options [optional...] - type source options
    const auto fields = split(line, ' ');
    const auto dash = std::find(fields.begin(), fields.end(), "-");
    if (fields.size() < 7 || fields.end() - dash < 4) continue;
    const std::string root = unescape(fields[3]);
    const std::string mount_point = unescape(fields[4]);
    const std::string_view type = dash[1];
    if (type == "cgroup2" && paths.v2 && found.v2.empty()) {
      found.v2 = directories_up(*paths.v2, root, mount_point);
    } else if (type == "cgroup" && paths.v1_cpu && has_word(dash[3], "cpu")) {
      found.v1_cpu = directories_up(*paths.v1_cpu, root, mount_point);
    } else if (type == "cgroup" && paths.v1_memory && has_word(dash[3], "memory")) {
      found.v1_memory = directories_up(*paths.v1_memory, root, mount_point);
    }
  }
  return found;
}

std::optional<double> smallest_quota(
    const cgroup_directories& directories,
    const std::function<std::optional<std::string>(const std::string& path)>& read) {
  std::optional<double> smallest;
  const auto consider = [&](std::optional<double> quota) {
    if (quota && (!smallest || *quota < *smallest)) smallest = quota;
  };
  for (const std::string& directory : directories.v2) {
    consider(parse_cpu_max(read(directory + "/cpu.max").value_or("")));
  }
  for (const std::string& directory : directories.v1_cpu) {
    consider(parse_cfs_quota(read(directory + "/cpu.cfs_quota_us").value_or(""),
                             read(directory + "/cpu.cfs_period_us").value_or("")));
  }
  return smallest;
}

cpu_budget read_cpu_budget() {
  cpu_budget budget;
  budget.affinity = static_cast<unsigned>(allowed_cpus().size());
  const auto directories =
      find_cgroup_directories(try_read_text_file("/proc/self/cgroup").value_or(""),
                              try_read_text_file("/proc/self/mountinfo").value_or(""));
  budget.quota = smallest_quota(directories, try_read_text_file);
  return budget;
}

unsigned usable_cpus() { return read_cpu_budget().usable_cpus(); }

}  // namespace brigade::os
