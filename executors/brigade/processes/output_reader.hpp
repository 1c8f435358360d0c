// Captured output of workers: one thread of the host reads what they write to stdout and stderr and
// hands it on in whole lines, each with the worker and the task that wrote it.
//
// A worker says itself, in the stream, where a task begins and ends, by a mark that it was given
// and that no output has by accident; so the tag is exact, however late the reader comes.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include <brigade/os/eventfd.hpp>
#include <brigade/os/fd.hpp>
#include <brigade/os/poll.hpp>
#include <brigade/processes/options.hpp>
#include <brigade/work/dispatcher.hpp>

namespace brigade::detail {

// A mark that no output has by accident.
[[nodiscard]] std::string make_output_mark();

// --- in the worker -------------------------------------------------------------------------------
class output_marks {
 public:
  output_marks() = default;
  // Makes the two descriptors stdout and stderr of this process.
  output_marks(std::string mark, int out, int err);

  // Tasks' names may hold anything but a newline, which becomes a space.
  void begin(std::uint64_t task, std::string_view name) const;
  // Whatever the task has left in buffers goes out first.
  void end() const;

 private:
  std::string mark_;
};

// --- in the host ---------------------------------------------------------------------------------
// Splits one stream. Not thread-safe.
class output_splitter {
 public:
  using sink = std::function<void(const output_line&)>;
  output_splitter(std::string mark, worker_info worker, output_stream stream)
      : mark_(std::move(mark)) {
    line_.worker = std::move(worker);
    line_.stream = stream;
  }

  void add(std::string_view text, const sink& to);
  // The rest, without a newline.
  void end(const sink& to);

 private:
  void take_line(std::string_view line, bool is_whole, const sink& to);
  void read_mark(std::string_view content);

  std::string mark_;
  std::string rest_;
  output_line line_;
  std::string task_name_;
};

class output_reader {
 public:
  // `callbacks` outlive it: they are told what the hook throws.
  output_reader(std::function<void(const output_line&)> hook, const hooks& callbacks);
  output_reader(const output_reader&) = delete;
  output_reader& operator=(const output_reader&) = delete;
  // What has been written until now still comes.
  ~output_reader();

  // What a new worker is to write to.
  struct ends {
    os::unique_fd out;
    os::unique_fd err;
  };
  // Throws std::system_error.
  [[nodiscard]] ends open(const worker_info& worker, const std::string& mark);

 private:
  struct source {
    os::unique_fd pipe;
    output_splitter splitter;
  };
  [[nodiscard]] os::unique_fd open_one(const worker_info& worker, const std::string& mark,
                                       output_stream stream);
  void run() noexcept;
  // False at the end of the stream.
  bool read(source& from) noexcept;
  void hand_on(const output_line& line) noexcept;

  std::function<void(const output_line&)> hook_;
  const hooks* callbacks_;
  std::mutex mutex_;
  std::map<std::uint64_t, std::unique_ptr<source>> sources_;  // by token; guarded
  std::uint64_t last_token_ = 0;                              // guarded; 0 is the bell's
  bool ending_ = false;                                       // guarded
  os::epoll poll_;
  os::eventfd bell_;
  std::thread thread_;
};

}  // namespace brigade::detail
