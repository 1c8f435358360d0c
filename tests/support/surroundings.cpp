#include "support/surroundings.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>
#include <optional>
#include <string_view>

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include "support/minder.hpp"

namespace brigade::testing {
namespace {

// Calls f(number, descriptor of the folder) for every entry whose name is a number.
template <class F>
void for_each_number(const char* folder, F f) {
  const std::unique_ptr<DIR, int (*)(DIR*)> entries(opendir(folder), closedir);
  if (!entries) return;
  while (const dirent* entry = readdir(entries.get())) {
    const std::string_view name = entry->d_name;
    int number = 0;
    const auto [end, failure] = std::from_chars(name.begin(), name.end(), number);
    if (failure == std::errc{} && end == name.end()) f(number, dirfd(entries.get()));
  }
}

// The beginning of a small file; nothing when the process it tells about has just gone.
std::string content(const std::string& file) {
  std::array<char, 4096> text{};
  const int fd = open(file.c_str(), O_RDONLY | O_CLOEXEC);  // a stream throws when that happens
  const ssize_t length = fd >= 0 ? read(fd, text.data(), text.size()) : -1;
  if (fd >= 0) close(fd);
  std::string_view rest(text.data(), length > 0 ? static_cast<std::size_t>(length) : 0);
  if (rest.ends_with('\n')) rest.remove_suffix(1);
  return std::string(rest);
}

struct status {
  std::string name;
  char state;
  int parent;
};

// The first fields of /proc/PID/stat: "PID (name) state parent ...". The name may hold anything.
std::optional<status> status_of(int pid) {
  const std::string stat = content("/proc/" + std::to_string(pid) + "/stat");
  const auto open = stat.find('(');
  const auto close = stat.rfind(')');
  if (close == std::string::npos || close + 4 >= stat.size()) return {};
  status result{stat.substr(open + 1, close - open - 1), stat[close + 2], 0};
  std::from_chars(stat.data() + close + 4, stat.data() + stat.size(), result.parent);
  return result;
}

// The thread sanitizer starts one thread of its own, with the first that the program starts.
#if defined(__SANITIZE_THREAD__)
constexpr bool under_thread_sanitizer = true;
#elif defined(__has_feature)
constexpr bool under_thread_sanitizer = __has_feature(thread_sanitizer);
#else
constexpr bool under_thread_sanitizer = false;
#endif

bool blocks_all_signals(int tid) {
  return content("/proc/self/task/" + std::to_string(tid) + "/status")
             .find("\nSigBlk:\tfffffffe7ffbfeff\n") != std::string::npos;
}

std::vector<item> sorted(std::vector<item> items) {
  std::ranges::sort(items);
  return items;
}

}  // namespace

std::vector<item> open_descriptors() {
  std::vector<item> found;
  for_each_number("/proc/self/fd", [&](int fd, int folder) {
    if (fd == folder) return;
    std::array<char, 4096> target;
    const auto length =
        readlinkat(folder, std::to_string(fd).c_str(), target.data(), target.size());
    if (length < 0) return;
    found.push_back({fd, std::string(target.data(), static_cast<std::size_t>(length))});
  });
  return sorted(std::move(found));
}

std::vector<item> running_threads() {
  std::vector<item> found;
  bool skipped = !under_thread_sanitizer;
  for_each_number("/proc/self/task", [&](int tid, int) {
    if (!skipped && blocks_all_signals(tid)) {
      skipped = true;
      return;
    }
    found.push_back({tid, content("/proc/self/task/" + std::to_string(tid) + "/comm")});
  });
  return sorted(std::move(found));
}

std::vector<item> children_of(int pid) {
  std::vector<item> found;
  for_each_number("/proc", [&](int other, int) {
    const auto its = status_of(other);
    if (!its || its->parent != pid) return;
    found.push_back(
        {other, std::to_string(other) + " (" + its->name + ", state " + its->state + ")"});
  });
  return sorted(std::move(found));
}

surroundings surroundings::now() {
  surroundings found{open_descriptors(), children_of(getpid()), running_threads()};
  if (minder_pid() != 0) {
    for (auto& orphan : children_of(minder_pid())) {
      if (orphan.id != getpid()) found.processes.push_back(std::move(orphan));
    }
  }
  return found;
}

std::vector<std::string> leftovers(const surroundings& before, const surroundings& after) {
  std::vector<std::string> lines;
  for (const auto& [fd, target] : after.descriptors) {
    if (std::ranges::find(before.descriptors, item{fd, target}) != before.descriptors.end()) {
      continue;
    }
    lines.push_back("descriptor " + std::to_string(fd) + " (" + target + ") is left open");
  }
  for (const auto& process : after.processes) {
    if (std::ranges::find(before.processes, process.id, &item::id) != before.processes.end()) {
      continue;
    }
    lines.push_back("process " + process.text + " is left behind");
  }
  for (const auto& [tid, name] : after.threads) {
    if (std::ranges::find(before.threads, tid, &item::id) != before.threads.end()) continue;
    lines.push_back("thread " + std::to_string(tid) + " (" + name + ") is left running");
  }
  return lines;
}

}  // namespace brigade::testing
