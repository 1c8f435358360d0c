// The one error family of all executors.
//
// Catch `brigade::error` for anything that brigade itself reports, or one type of the family, or
// std::exception for everything. `error` is a mixin beside a standard exception, not a descendant
// of one: an exception that came back from a worker process is at once its nearest standard type
// and a `remote_error`, and a second path to std::exception would make `catch (std::exception&)`
// ambiguous, so that nothing would catch it.
//
// Every message says what happened, to what, and the cure. Errors are values: immutable, copyable
// without throwing, and free to cross threads.
#pragma once

#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <brigade/base/executor_kind.hpp>

namespace brigade {

// Which task an error is about. An unnamed task has an empty name; id 0 means no task.
struct task_identity {
  std::string name;
  std::uint64_t id = 0;
  std::optional<executor_kind> executor;
};

// "task 'resize' (7) on processes", "task 7 on loop" or "a task".
[[nodiscard]] std::string describe(const task_identity& task);

class error {
 public:
  virtual ~error() = default;
  [[nodiscard]] virtual const char* what() const noexcept = 0;

  [[nodiscard]] const task_identity& task() const noexcept { return *task_; }
  [[nodiscard]] const std::string& task_name() const noexcept { return task_->name; }
  [[nodiscard]] std::uint64_t task_id() const noexcept { return task_->id; }
  [[nodiscard]] std::optional<executor_kind> executor() const noexcept { return task_->executor; }

 protected:
  explicit error(task_identity task)
      : task_(std::make_shared<const task_identity>(std::move(task))) {}
  error(const error&) noexcept = default;
  error& operator=(const error&) noexcept = default;

 private:
  std::shared_ptr<const task_identity> task_;  // shared: copying an exception must not throw
};

// What the members of the family share: a standard exception that carries the text, and `error`.
template <class Standard = std::runtime_error>
class error_of : public Standard, public error {
 public:
  error_of(const std::string& text, task_identity task) : Standard(text), error(std::move(task)) {}
  [[nodiscard]] const char* what() const noexcept override { return Standard::what(); }
};

// The task was cancelled before it ran, or ended because its stop was asked for.
class task_cancelled : public error_of<> {
 public:
  using error_of<>::error_of;
};

// A deadline (`.deadline`, `.queue_deadline`) passed.
class task_timeout : public error_of<> {
 public:
  using error_of<>::error_of;
};

// `.max_pending` tasks are queued and the policy is to throw.
class queue_full : public error_of<> {
 public:
  using error_of<>::error_of;
};

// The runtime no longer takes tasks.
class runtime_stopped : public error_of<> {
 public:
  using error_of<>::error_of;
};

// A worker would wait for something that only it could bring about.
class would_deadlock : public error_of<std::logic_error> {
 public:
  using error_of<std::logic_error>::error_of;
};

// The callable or an argument cannot be sent to another process.
class not_transportable : public error_of<std::logic_error> {
 public:
  using error_of<std::logic_error>::error_of;
};

// A value could not be encoded or decoded.
class codec_error : public error_of<> {
 public:
  using error_of<>::error_of;
  explicit codec_error(const std::string& text) : error_of<>(text, {}) {}
};

// How a worker process ended, as far as anybody knows: at most one of exit_code and signal is set;
// neither is when the supervisor died with it.
struct worker_death {
  int pid = 0;
  std::optional<int> exit_code;
  std::optional<int> signal;
  bool started = false;                           // whether the task had begun
  std::optional<unsigned> worker = std::nullopt;  // its number in the pool
  // Where the fault was, of SIGSEGV, SIGBUS, SIGILL, SIGFPE.
  std::optional<std::uint64_t> fault_address = std::nullopt;
  // The kernel killed it because its control group, or the system, was out of memory. Where the
  // kernel counts such kills for the system only, one of another process at that moment counts too.
  bool out_of_memory = false;
  // Calls of the thread that crashed, innermost first: "function + 0x1f (file)", or without a
  // symbol "file + 0x1234". Empty when it did not crash by itself.
  std::vector<std::string> backtrace = {};
};

// The worker process that ran the task died.
class worker_lost : public error_of<> {
 public:
  worker_lost(const std::string& text, task_identity task, worker_death death)
      : error_of<>(text, std::move(task)),
        death_(std::make_shared<const worker_death>(std::move(death))) {}
  [[nodiscard]] int pid() const noexcept { return death_->pid; }
  [[nodiscard]] std::optional<int> exit_code() const noexcept { return death_->exit_code; }
  [[nodiscard]] std::optional<int> signal() const noexcept { return death_->signal; }
  [[nodiscard]] bool started() const noexcept { return death_->started; }
  [[nodiscard]] const worker_death& death() const noexcept { return *death_; }

 private:
  std::shared_ptr<const worker_death> death_;  // shared: copying an exception must not throw
};

// Worker processes cannot be started, or keep dying before their first task.
class worker_start_failed : public error_of<> {
 public:
  using error_of<>::error_of;
};

// The initializer of a worker threw or ended the process.
class initializer_failed : public error_of<> {
 public:
  using error_of<>::error_of;
};

// Host and worker are not built from the same modules.
class build_mismatch : public error_of<> {
 public:
  using error_of<>::error_of;
};

// What came back from a worker process as an exception that this program does not know by type.
// What is thrown is always also the nearest standard exception, see remote_exception.
class remote_error : public error {
 public:
  // The demangled type name in the worker, e.g. "my::parse_failure".
  [[nodiscard]] const std::string& type() const noexcept { return *type_; }
  // What std::throw_with_nested had wrapped in it; null when nothing.
  [[nodiscard]] const std::exception_ptr& nested() const noexcept { return nested_; }

 protected:
  remote_error(task_identity task, std::string type, std::exception_ptr nested)
      : error(std::move(task)),
        type_(std::make_shared<const std::string>(std::move(type))),
        nested_(std::move(nested)) {}

 private:
  std::shared_ptr<const std::string> type_;
  std::exception_ptr nested_;
};

// The thrown form of remote_error: `Standard` is the nearest standard base of the original.
template <class Standard>
class remote_exception : public Standard, public remote_error {
 public:
  remote_exception(Standard base, std::string text, task_identity task, std::string type,
                   std::exception_ptr nested)
      : Standard(std::move(base)),
        remote_error(std::move(task), std::move(type), std::move(nested)),
        text_(std::make_shared<const std::string>(std::move(text))) {}
  [[nodiscard]] const char* what() const noexcept override { return text_->c_str(); }

 private:
  std::shared_ptr<const std::string> text_;
};

}  // namespace brigade
