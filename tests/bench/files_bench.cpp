// T7: reading many small files that are in the system's cache, side by side with libuv's file calls
// and with what bare threads can do.
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#if BENCH_LIBUV
#include <uv.h>
#endif

#include <brigade/brigade.hpp>

#include "bench.hpp"

using namespace bench;

namespace {

constexpr std::size_t file_bytes = 4096;
constexpr unsigned workers = 2;

// The files, for as long as the program runs.
class shelf {
 public:
  explicit shelf(std::size_t files) {
    std::string name = (std::filesystem::temp_directory_path() / "brigade-bench.XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no directory for the files");
    root_ = name;
    const std::string content(file_bytes, 'x');
    for (std::size_t i = 0; i < files; ++i) {
      paths_.push_back(name + "/" + std::to_string(i));
      brigade::write_file(paths_.back(), content);
    }
  }
  ~shelf() {
    std::error_code ignored;
    std::filesystem::remove_all(root_, ignored);
  }
  shelf(const shelf&) = delete;
  shelf& operator=(const shelf&) = delete;

  [[nodiscard]] const std::vector<std::string>& paths() const noexcept { return paths_; }

 private:
  std::filesystem::path root_;
  std::vector<std::string> paths_;
};

sample thousands(const stopwatch& watch, std::size_t files, std::size_t bytes) {
  if (bytes != files * file_bytes) throw std::runtime_error("not every byte was read");
  sample result = watch.rate(files);
  result.value /= 1e3;
  return result;
}

std::size_t count_bytes(const std::string& path) { return brigade::read_file(path).size(); }

sample our_map(const std::vector<std::string>& paths) {
  brigade::runtime_options options;
  options.threads.workers = workers;
  brigade::runtime runtime(options);
  const stopwatch watch;
  std::size_t bytes = 0;
  for (const std::size_t each : runtime.map(brigade::threads, count_bytes, paths))
    bytes += each;
  return thousands(watch, paths.size(), bytes);
}

sample our_futures(const std::vector<std::string>& paths) {
  brigade::runtime_options options;
  options.threads.workers = workers;
  brigade::runtime runtime(options);
  const stopwatch watch;
  std::vector<brigade::future<std::size_t>> all;
  all.reserve(paths.size());
  for (const std::string& path : paths) {
    all.push_back(runtime.submit(brigade::threads, count_bytes, path));
  }
  std::size_t bytes = 0;
  for (auto& each : all)
    bytes += each.get();
  return thousands(watch, paths.size(), bytes);
}

// The limit: nothing but the calls, the buffer used again.
sample bare_threads(const std::vector<std::string>& paths) {
  const stopwatch watch;
  std::atomic<std::size_t> next{0};
  std::atomic<std::size_t> bytes{0};
  const auto loop = [&] {
    std::array<char, file_bytes + 1> room;
    for (std::size_t i = next++; i < paths.size(); i = next++) {
      const int fd = ::open(paths[i].c_str(), O_RDONLY | O_CLOEXEC);
      const ssize_t got = ::pread(fd, room.data(), room.size(), 0);
      ::close(fd);
      if (got > 0) bytes += static_cast<std::size_t>(got);
    }
  };
  {
    std::vector<std::jthread> crew;
    for (unsigned i = 0; i < workers; ++i)
      crew.emplace_back(loop);
  }
  return thousands(watch, paths.size(), bytes);
}

#if BENCH_LIBUV
// One file after the other in each of `lanes` chains: open, read, close, each through libuv's pool.
struct uv_lane {
  uv_fs_t request = {};
  uv_file file = -1;
  std::array<char, file_bytes + 1> room;
  const std::vector<std::string>* paths = nullptr;
  std::size_t* next = nullptr;
  std::size_t* bytes = nullptr;

  void open() {
    if (*next == paths->size()) return;
    request.data = this;
    uv_fs_open(uv_default_loop(), &request, (*paths)[(*next)++].c_str(), O_RDONLY, 0, opened);
  }
  static void opened(uv_fs_t* done) {
    auto& self = *static_cast<uv_lane*>(done->data);
    self.file = static_cast<uv_file>(done->result);
    uv_fs_req_cleanup(done);
    const uv_buf_t buffer = uv_buf_init(self.room.data(), self.room.size());
    uv_fs_read(uv_default_loop(), &self.request, self.file, &buffer, 1, 0, have_read);
  }
  static void have_read(uv_fs_t* done) {
    auto& self = *static_cast<uv_lane*>(done->data);
    if (done->result > 0) *self.bytes += static_cast<std::size_t>(done->result);
    uv_fs_req_cleanup(done);
    uv_fs_close(uv_default_loop(), &self.request, self.file, closed);
  }
  static void closed(uv_fs_t* done) {
    auto& self = *static_cast<uv_lane*>(done->data);
    uv_fs_req_cleanup(done);
    self.open();
  }
};

sample libuv_files(const std::vector<std::string>& paths, const char* threads) {
  ::setenv("UV_THREADPOOL_SIZE", threads, 1);
  std::size_t next = 0;
  std::size_t bytes = 0;
  std::vector<std::unique_ptr<uv_lane>> lanes;
  const stopwatch watch;
  for (int i = 0; i < 64; ++i) {
    lanes.push_back(std::make_unique<uv_lane>());
    lanes.back()->paths = &paths;
    lanes.back()->next = &next;
    lanes.back()->bytes = &bytes;
    lanes.back()->open();
  }
  uv_run(uv_default_loop(), UV_RUN_DEFAULT);
  return thousands(watch, paths.size(), bytes);
}
#endif

}  // namespace

int main(int argc, char** argv) {
  program run(argc, argv);
  const shelf files(run.operations(20'000));
  const auto& paths = files.paths();
  comparison reads{"T7 files of 4 KiB read",
                   "k/s",
                   better::higher,
                   {{"brigade, map", [&] { return our_map(paths); }},
                    {"brigade, a future each", [&] { return our_futures(paths); }},
                    {"bare threads, the limit", [&] { return bare_threads(paths); }},
                    {"libuv, 2 threads", nullptr},
                    {"libuv, 4 threads", nullptr}}};
#if BENCH_LIBUV
  reads.contenders[3].run = [&] { return libuv_files(paths, "2"); };
  reads.contenders[4].run = [&] { return libuv_files(paths, "4"); };
#endif
  run.compare(reads);
  return run.result();
}
