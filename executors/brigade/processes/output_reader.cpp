#include <brigade/processes/output_reader.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <iostream>
#include <random>
#include <system_error>
#include <utility>
#include <vector>

#include <brigade/os/pipe.hpp>
#include <brigade/os/process.hpp>
#include <brigade/os/signal.hpp>
#include <brigade/os/thread.hpp>

namespace brigade::detail {
namespace {

constexpr std::size_t longest_line = 64 * 1024;
constexpr std::uint64_t bell_token = 0;

template <class Number>
Number take_number(std::string_view& text) {
  Number number{};
  const auto [end, failure] = std::from_chars(text.begin(), text.end(), number);
  text.remove_prefix(static_cast<std::size_t>(end - text.begin()));
  text.remove_prefix(std::min<std::size_t>(1, text.size()));
  return number;
}

}  // namespace

std::string make_output_mark() {
  std::random_device random;
  return std::string(1, '\0') + "brigade " + std::to_string(random()) + std::to_string(random()) +
         " ";
}

// --- in the worker -------------------------------------------------------------------------------

output_marks::output_marks(std::string mark, int out, int err) : mark_(std::move(mark)) {
  os::put_in_place(out, os::standard_output);
  os::put_in_place(err, os::standard_error);
  // What a crash leaves behind is to be little. With a buffer given, the mode holds at once, also
  // for a stream that was in use before this process was forked.
  static std::array<char, BUFSIZ> buffer;
  std::setvbuf(stdout, buffer.data(), _IOLBF, buffer.size());
  begin(0, {});
}

void output_marks::begin(std::uint64_t task, std::string_view name) const {
  if (mark_.empty()) return;
  std::string line = mark_ + std::to_string(os::process_id()) + " " + std::to_string(task) + " ";
  line += name;
  std::replace(line.begin() + static_cast<std::ptrdiff_t>(mark_.size()), line.end(), '\n', ' ');
  line += '\n';
  for (const int stream : {os::standard_output, os::standard_error}) {
    try {
      os::write_full(stream, std::as_bytes(std::span(line)));
    } catch (const std::system_error&) {  // a task has closed it: nothing more will come
    }
  }
}

void output_marks::end() const {
  if (mark_.empty()) return;
  std::cout.flush();
  std::fflush(nullptr);
  begin(0, {});
}

// --- splitting -----------------------------------------------------------------------------------

void output_splitter::add(std::string_view text, const sink& to) {
  while (!text.empty()) {
    const std::size_t newline = text.find('\n');
    const std::size_t length = std::min(newline, text.size());
    rest_.append(text.substr(0, length));
    text.remove_prefix(length);
    if (newline != text.npos) {
      text.remove_prefix(1);
      take_line(rest_, true, to);
      rest_.clear();
    } else if (rest_.size() >= longest_line) {
      take_line(rest_, false, to);
      rest_.clear();
    }
  }
}

void output_splitter::end(const sink& to) {
  if (!rest_.empty()) take_line(rest_, false, to);
  rest_.clear();
}

void output_splitter::take_line(std::string_view line, bool is_whole, const sink& to) {
  const std::size_t mark = is_whole ? line.find(mark_) : line.npos;
  const std::string_view before = line.substr(0, mark);
  if (mark == line.npos || !before.empty()) {
    line_.text = before;
    line_.task_name = task_name_;
    to(line_);
  }
  if (mark != line.npos) read_mark(line.substr(mark + mark_.size()));
}

void output_splitter::read_mark(std::string_view content) {
  line_.worker.pid = line_.worker.tid = take_number<int>(content);
  line_.task_id = take_number<std::uint64_t>(content);
  task_name_ = content;
}

// --- in the host ---------------------------------------------------------------------------------

output_reader::output_reader(std::function<void(const output_line&)> hook, const hooks& callbacks)
    : hook_(std::move(hook)), callbacks_(&callbacks) {
  poll_.add(bell_.get(), EPOLLIN, bell_token);
  const os::blocked_signals blocked;  // signals are for the program's own threads
  thread_ = std::thread([this] { run(); });
}

output_reader::~output_reader() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  bell_.signal();
  thread_.join();
}

output_reader::ends output_reader::open(const worker_info& worker, const std::string& mark) {
  return {open_one(worker, mark, output_stream::out), open_one(worker, mark, output_stream::err)};
}

os::unique_fd output_reader::open_one(const worker_info& worker, const std::string& mark,
                                      output_stream stream) {
  os::pipe made = os::make_pipe();
  const int read_end = made.read_end.get();
  os::set_nonblocking(read_end, true);
  const std::lock_guard lock(mutex_);
  const std::uint64_t token = ++last_token_;
  sources_.emplace(token, std::make_unique<source>(std::move(made.read_end),
                                                   output_splitter(mark, worker, stream)));
  poll_.add(read_end, EPOLLIN, token);  // its events wait for the mutex
  return std::move(made.write_end);
}

void output_reader::run() noexcept {
  os::set_thread_name("brigade-output");
  std::array<epoll_event, 16> room;
  for (;;) {
    for (const epoll_event& event : poll_.wait(room)) {
      if (event.data.u64 == bell_token) {
        bell_.drain();
        continue;
      }
      source* from = nullptr;
      {
        const std::lock_guard lock(mutex_);
        from = sources_.at(event.data.u64).get();
      }
      if (read(*from)) continue;
      poll_.remove(from->pipe.get());  // closing alone does not while a child of a task has it
      const std::lock_guard lock(mutex_);
      sources_.erase(event.data.u64);
    }
    const std::lock_guard lock(mutex_);
    if (ending_) break;
  }
  // The workers are gone: what they wrote is in the pipes.
  for (const auto& [token, each] : sources_) {
    (void)read(*each);
    each->splitter.end([this](const output_line& line) { hand_on(line); });
  }
}

bool output_reader::read(source& from) noexcept {
  const auto sink = [this](const output_line& line) { hand_on(line); };
  std::array<std::byte, 16384> room;
  try {
    for (;;) {
      const auto count = os::try_read(from.pipe.get(), room);
      if (!count) return true;
      if (*count == 0) break;
      from.splitter.add({reinterpret_cast<const char*>(room.data()), *count}, sink);
    }
  } catch (const std::exception&) {  // no memory for a line, or no pipe
  }
  from.splitter.end(sink);
  return false;
}

void output_reader::hand_on(const output_line& line) noexcept {
  try {
    hook_(line);
  } catch (...) {
    report_error(*callbacks_, {std::string(line.task_name), line.task_id, executor_kind::processes},
                 std::current_exception());
  }
}

}  // namespace brigade::detail
