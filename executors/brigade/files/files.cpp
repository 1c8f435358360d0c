#include <brigade/files/files.hpp>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <span>
#include <system_error>
#include <utility>

#include <brigade/os/fd.hpp>
#include <brigade/os/system_failure.hpp>
#include <brigade/work/map.hpp>
#include <brigade/work/submit.hpp>
#include <brigade/work/task.hpp>

namespace brigade {
namespace {

namespace fs = std::filesystem;

// What one directory holds, or why it cannot be listed.
struct listing {
  std::vector<directory_entry> entries;
  std::error_code failure;
};

// Asked so that what the directory itself says of the kind is enough: no call for each entry.
file_type type_of(const fs::directory_entry& entry) {
  std::error_code gone;  // between listing and looking: then its type is not known
  if (entry.is_symlink(gone)) return file_type::symlink;
  if (entry.is_directory(gone)) return file_type::directory;
  if (entry.is_regular_file(gone)) return file_type::regular;
  return entry.exists(gone) ? file_type::other : file_type::unknown;
}

listing try_list(const std::string& path) {
  listing found;
  fs::directory_iterator each(path, found.failure);
  const std::string prefix = path.ends_with('/') ? path : path + "/";
  while (!found.failure && each != fs::directory_iterator()) {
    found.entries.push_back({prefix + each->path().filename().string(), type_of(*each)});
    each.increment(found.failure);
  }
  std::ranges::sort(found.entries, {}, &directory_entry::path);
  return found;
}

// Takes in what a directory held, and says which directories are to be listed next.
void take_in(directory_tree& tree, std::vector<std::string>& next, const std::string& directory,
             listing&& found) {
  if (found.failure) tree.failures.push_back({directory, found.failure});
  for (const directory_entry& each : found.entries) {
    if (each.type == file_type::directory) next.push_back(each.path);
  }
  std::ranges::move(found.entries, std::back_inserter(tree.entries));
}

directory_tree finished(directory_tree&& tree) {
  std::ranges::sort(tree.entries, {}, &directory_entry::path);
  std::ranges::sort(tree.failures, {}, &walk_failure::path);
  return std::move(tree);
}

// Level by level: the directories of one are listed side by side.
task<directory_tree> walk(std::string root) {
  directory_tree tree;
  std::vector<std::string> level;
  take_in(tree, level, root, {list_directory(root), {}});
  while (!level.empty()) {
    auto listed = submitter(detail::this_dispatcher()).map_async(threads, try_list, level);
    std::vector<listing> found = co_await std::move(listed);
    std::vector<std::string> next;
    for (std::size_t i = 0; i < level.size(); ++i) {
      take_in(tree, next, level[i], std::move(found[i]));
    }
    level = std::move(next);
  }
  co_return finished(std::move(tree));
}

}  // namespace

std::string read_file(const std::string& path) { return os::read_text_file(path); }

void write_file(const std::string& path, std::string_view content) {
  os::write_whole_file(path, std::as_bytes(std::span(content)));
}

std::vector<directory_entry> list_directory(const std::string& path) {
  listing found = try_list(path);
  if (found.failure) {
    os::throw_system_failure(found.failure.value(), "listing", "'" + path + "'");
  }
  return std::move(found.entries);
}

directory_tree walk_directory(const std::string& root) {
  directory_tree tree;
  std::vector<std::string> level;
  take_in(tree, level, root, {list_directory(root), {}});
  while (!level.empty()) {
    const std::string directory = std::move(level.back());
    level.pop_back();
    take_in(tree, level, directory, try_list(directory));
  }
  return finished(std::move(tree));
}

future<std::string> async_read_file(std::string path) {
  return submit(threads, read_file, std::move(path));
}

future<void> async_write_file(std::string path, std::string content) {
  return submit(threads, write_file, std::move(path), std::move(content));
}

future<std::vector<directory_entry>> async_list_directory(std::string path) {
  return submit(threads, list_directory, std::move(path));
}

future<directory_tree> async_walk_directory(std::string root) {
  return submit(threads, walk, std::move(root));
}

}  // namespace brigade
