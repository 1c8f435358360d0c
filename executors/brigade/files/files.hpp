// Whole files and directory trees: plain blocking functions for the threads executor, and the same
// for a task to await.
//
//   std::string text = rt.submit(bg::threads, bg::read_file, path).get();
//   std::vector<std::string> all = rt.map(bg::threads, bg::read_file, paths);
//   std::string text = co_await bg::async_read_file(path);    // in a task, on any executor
//
// A file that the system has in its cache is read in microseconds, one that it has not may block
// for milliseconds; Linux has no readiness to wait for (epoll(7) refuses files). So a few threads
// that block fit better than a loop. The async_ functions hand the work to the threads executor of
// the runtime that the calling task belongs to, and throw what submit throws, std::logic_error
// outside of any task. All are thread-safe as far as the file system is. Failures are
// std::system_error with the path in the text. Paths are strings, which a std::filesystem::path
// converts to; its header would cost every user of brigade.hpp a tenth of a second. read(2),
// getdents64(2).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <brigade/work/future.hpp>

namespace brigade {

// The bytes of a file, of any kind that can be read to an end (also in /proc, or a pipe).
[[nodiscard]] std::string read_file(const std::string& path);

// Makes `content` all that is in the file, which is created (mode 0666 less the umask) when there
// is none. A failure on the way, a full disk say, leaves a part of it: write elsewhere and rename
// when that matters.
void write_file(const std::string& path, std::string_view content);

enum class file_type { unknown, regular, directory, symlink, other };

struct directory_entry {
  std::string path;                     // the directory's path, a slash, the name
  file_type type = file_type::unknown;  // of itself, not of a link's target; unknown: it is gone
};

// What is in a directory, sorted by name, without "." and "..".
[[nodiscard]] std::vector<directory_entry> list_directory(const std::string& path);

struct walk_failure {
  std::string path;
  std::error_code reason;
};

struct directory_tree {
  std::vector<directory_entry> entries;  // sorted by path; directories too, the root itself not
  std::vector<walk_failure> failures;    // directories that could not be listed, the walk went on
};

// Everything below `root`, symbolic links not followed. Throws when the root itself cannot be
// listed. Several threads list several directories at once.
[[nodiscard]] future<directory_tree> async_walk_directory(std::string root);
// The same in the calling thread alone.
[[nodiscard]] directory_tree walk_directory(const std::string& root);

[[nodiscard]] future<std::string> async_read_file(std::string path);
[[nodiscard]] future<void> async_write_file(std::string path, std::string content);
[[nodiscard]] future<std::vector<directory_entry>> async_list_directory(std::string path);

}  // namespace brigade
