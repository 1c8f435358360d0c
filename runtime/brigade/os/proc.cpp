#include <brigade/os/proc.hpp>

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <sstream>

#include <brigade/os/fd.hpp>

namespace brigade::os {
namespace {

using std::chrono::milliseconds;

std::string file_of(pid_t pid, std::string_view name) {
  return "/proc/" + std::to_string(pid) + "/" + std::string(name);
}

template <class Number>
std::optional<Number> parse_number(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
  Number value{};
  if (std::from_chars(text.data(), text.data() + text.size(), value).ec != std::errc{}) {
    return std::nullopt;
  }
  return value;
}

// The number after "Name:" at the start of a line.
std::optional<std::uint64_t> find_field(std::string_view text, std::string_view name) {
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    if (line.starts_with(name) && line.size() > name.size() && line[name.size()] == ':') {
      return parse_number<std::uint64_t>(line.substr(name.size() + 1));
    }
    text.remove_prefix(std::min(line.size() + 1, text.size()));
  }
  return std::nullopt;
}

struct close_directory {
  void operator()(DIR* directory) const noexcept { ::closedir(directory); }
};

// The entries of a directory that are numbers; empty when it is gone.
std::vector<pid_t> numbers_in(const std::string& path) {
  std::vector<pid_t> numbers;
  const std::unique_ptr<DIR, close_directory> directory(::opendir(path.c_str()));
  if (!directory) return numbers;
  while (const dirent* entry = ::readdir(directory.get())) {
    if (const auto number = parse_number<pid_t>(entry->d_name)) numbers.push_back(*number);
  }
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

milliseconds from_ticks(std::string_view text) {
  static const long ticks_per_second = ::sysconf(_SC_CLK_TCK);
  return milliseconds(parse_number<long long>(text).value_or(0) * 1000 / ticks_per_second);
}

// For kernels without the list of children: everybody is asked for the parent.
std::vector<pid_t> children_by_search(pid_t pid) {
  std::vector<pid_t> children;
  for (const pid_t other : numbers_in("/proc")) {
    const auto stat = read_process_stat(other);
    if (stat && stat->parent == pid) children.push_back(other);
  }
  return children;
}

}  // namespace

memory_reading parse_smaps_rollup(std::string_view text) {
  return {find_field(text, "Pss").value_or(0) * 1024,
          find_field(text, "Private_Dirty").value_or(0) * 1024};
}

std::optional<memory_reading> read_memory(pid_t pid) {
  const auto text = try_read_text_file(file_of(pid, "smaps_rollup"));
  if (!text) return std::nullopt;
  return parse_smaps_rollup(*text);
}

std::optional<std::uint64_t> read_peak_resident_bytes(pid_t pid) {
  const auto text = try_read_text_file(file_of(pid, "status"));
  const auto kib = text ? find_field(*text, "VmHWM") : std::nullopt;
  if (!kib) return std::nullopt;
  return *kib * 1024;
}

std::optional<std::uint64_t> read_private_resident_bytes(pid_t pid) {
  const auto text = try_read_text_file(file_of(pid, "statm"));
  if (!text) return std::nullopt;
  std::istringstream in(*text);
  std::uint64_t size = 0;
  std::uint64_t resident = 0;
  std::uint64_t shared = 0;
  if (!(in >> size >> resident >> shared) || shared > resident) return std::nullopt;
  return (resident - shared) * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

std::optional<process_stat> parse_process_stat(std::string_view text) {
  // proc(5): "pid (comm) state ppid ..."; comm may hold blanks and brackets, so look from the end.
  const std::size_t open = text.find('(');
  const std::size_t close = text.rfind(')');
  if (open == text.npos || close == text.npos || close < open) return std::nullopt;
  std::vector<std::string_view> fields;  // [0] is field 3 of the manual
  std::string_view rest = text.substr(close + 1);
  while (!rest.empty()) {
    rest.remove_prefix(std::min(rest.find_first_not_of(" \n"), rest.size()));
    const std::size_t end = std::min(rest.find_first_of(" \n"), rest.size());
    if (end > 0) fields.push_back(rest.substr(0, end));
    rest.remove_prefix(end);
  }
  if (fields.size() < 18) return std::nullopt;
  process_stat stat;
  stat.command = text.substr(open + 1, close - open - 1);
  stat.state = fields[0].front();
  constexpr std::uint64_t exiting = 0x4;  // PF_EXITING of the kernel
  stat.is_ending = (parse_number<std::uint64_t>(fields[6]).value_or(0) & exiting) != 0;
  stat.parent = parse_number<pid_t>(fields[1]).value_or(0);
  stat.user = from_ticks(fields[11]);
  stat.system = from_ticks(fields[12]);
  stat.waited_children_user = from_ticks(fields[13]);
  stat.waited_children_system = from_ticks(fields[14]);
  stat.threads = parse_number<int>(fields[17]).value_or(0);
  return stat;
}

std::optional<process_stat> read_process_stat(pid_t pid) {
  const auto text = try_read_text_file(file_of(pid, "stat"));
  return text ? parse_process_stat(*text) : std::nullopt;
}

std::optional<thread_schedule> read_thread_schedule(pid_t thread) {
  const std::string directory = "/proc/self/task/" + std::to_string(thread);
  const auto times = try_read_text_file(directory + "/schedstat");
  const auto stat = try_read_text_file(directory + "/stat");
  const auto parsed = stat ? parse_process_stat(*stat) : std::nullopt;
  if (!times || !parsed) return std::nullopt;
  std::istringstream in(*times);
  std::int64_t on_cpu = 0;
  std::int64_t run_delay = 0;
  if (!(in >> on_cpu >> run_delay)) return std::nullopt;
  return thread_schedule{std::chrono::nanoseconds(on_cpu), std::chrono::nanoseconds(run_delay),
                         parsed->state == 'R'};
}

context_switches read_context_switches(pid_t pid) {
  context_switches sum;
  for (const pid_t thread : threads_of(pid)) {
    const auto text =
        try_read_text_file(file_of(pid, "task/" + std::to_string(thread) + "/status"));
    if (!text) continue;
    sum.voluntary += find_field(*text, "voluntary_ctxt_switches").value_or(0);
    sum.involuntary += find_field(*text, "nonvoluntary_ctxt_switches").value_or(0);
  }
  return sum;
}

resource_usage read_resource_usage(usage_of whom) noexcept {
  const auto who = whom == usage_of::this_process  ? RUSAGE_SELF
                   : whom == usage_of::this_thread ? RUSAGE_THREAD
                                                   : RUSAGE_CHILDREN;
  const auto to_duration = [](const timeval& time) {
    return std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
  };
  struct rusage counted {};
  ::getrusage(who, &counted);
  return {to_duration(counted.ru_utime),
          to_duration(counted.ru_stime),
          {static_cast<std::uint64_t>(counted.ru_nvcsw),
           static_cast<std::uint64_t>(counted.ru_nivcsw)}};
}

std::vector<pid_t> threads_of(pid_t pid) { return numbers_in(file_of(pid, "task")); }

std::vector<pid_t> children_of(pid_t pid) {
  std::vector<pid_t> children;
  for (const pid_t thread : threads_of(pid)) {
    const std::string path = file_of(pid, "task/" + std::to_string(thread) + "/children");
    const auto text = try_read_text_file(path);
    if (!text) {
      if (::access(path.c_str(), F_OK) == 0 || read_process_stat(thread) == std::nullopt) continue;
      return children_by_search(pid);
    }
    std::string_view rest = *text;
    while (const auto child = parse_number<pid_t>(rest)) {
      children.push_back(*child);
      rest.remove_prefix(std::min(rest.find(' '), rest.size() - 1) + 1);
    }
  }
  std::sort(children.begin(), children.end());
  return children;
}

std::vector<pid_t> descendants_of(pid_t pid) {
  std::vector<pid_t> found = children_of(pid);
  for (std::size_t i = 0; i < found.size(); ++i) {
    const std::vector<pid_t> more = children_of(found[i]);
    found.insert(found.end(), more.begin(), more.end());
  }
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

bool is_descendant(pid_t pid, pid_t ancestor) {
  for (auto stat = read_process_stat(pid); stat && stat->parent > 0;
       stat = read_process_stat(stat->parent)) {
    if (stat->parent == ancestor) return true;
  }
  return false;
}

}  // namespace brigade::os
