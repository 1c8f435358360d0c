#include <brigade/processes/oom.hpp>

#include <algorithm>
#include <charconv>
#include <chrono>

#include <brigade/os/cpu.hpp>
#include <brigade/os/fd.hpp>

namespace brigade::detail {
namespace {

std::optional<std::uint64_t> kills_in(const std::string& path) {
  const auto text = os::try_read_text_file(path);
  return text ? parse_oom_kills(*text) : std::nullopt;
}

}  // namespace

std::vector<std::string> oom_counters() {
  const auto groups = os::try_read_text_file("/proc/self/cgroup").value_or("");
  const auto mounts = os::try_read_text_file("/proc/self/mountinfo").value_or("");
  const os::cgroup_directories directories = os::find_cgroup_directories(groups, mounts);
  std::vector<std::string> counters;
  if (!directories.v2.empty()) counters.push_back(directories.v2.front() + "/memory.events");
  if (!directories.v1_memory.empty()) {
    counters.push_back(directories.v1_memory.front() + "/memory.oom_control");
  }
  counters.push_back("/proc/vmstat");
  return counters;
}

void oom_watch::count_in(const std::vector<std::string>& counters) {
  for (const std::string& each : counters) {
    const auto now = kills_in(each);
    if (!now) continue;
    if (path_ != each) known_ = seen_ = *now;
    path_ = each;
    return;
  }
}

bool oom_watch::take_kill(clock::time_point now) {
  if (now - seen_at_ > std::chrono::seconds(1)) known_ = seen_;
  seen_at_ = now;
  if (!path_.empty()) seen_ = std::max(seen_, kills_in(path_).value_or(0));
  if (seen_ <= known_) return false;
  ++known_;
  return true;
}

std::optional<std::uint64_t> parse_oom_kills(std::string_view text) {
  constexpr std::string_view name = "oom_kill ";
  std::size_t at = text.find(name);
  while (at != text.npos && at != 0 && text[at - 1] != '\n')
    at = text.find(name, at + 1);
  if (at == text.npos) return std::nullopt;
  text.remove_prefix(at + name.size());
  std::uint64_t number = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), number).ec != std::errc{}) {
    return std::nullopt;
  }
  return number;
}

}  // namespace brigade::detail
