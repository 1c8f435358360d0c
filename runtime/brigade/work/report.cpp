// What the library says by itself, when no hook does.
#include <cstdio>
#include <exception>
#include <string>

#include <brigade/work/dispatcher.hpp>

namespace brigade::detail {
namespace {

// What an exception says of itself.
std::string text_of(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& caught) {
    return caught.what();
  } catch (...) {
    return "an exception that is not a std::exception";
  }
}

void print_line(const std::string& line) noexcept {
  std::fputs((line + "\n").c_str(), stderr);  // one call: lines of several threads do not mix
}

}  // namespace

void report_error(const hooks& to, const task_identity& task, std::exception_ptr error) noexcept {
  try {
    if (to.on_error) {
      to.on_error(task, error);
      return;
    }
  } catch (...) {
    print_line("brigade: the on_error hook threw: " + text_of(std::current_exception()));
  }
  const std::string text = text_of(error);
  const bool names_it = text.find(describe(task)) != text.npos;
  print_line("brigade: " + (names_it ? std::string("a task") : describe(task)) +
             " failed and nobody waits for it: " + text);
}

void report_overdue(const hooks& to, const task_identity& task) noexcept {
  const std::string text =
      describe(task) + " has not ended, and the destructor of its runtime waits for it after " +
      "shutdown() gave up; let it watch its std::stop_token, or run it on processes, where " +
      "shutdown_mode::kill ends it";
  if (!to.on_error) {
    print_line("brigade: " + text);
    return;
  }
  report_error(to, task, std::make_exception_ptr(task_timeout(text, task)));
}

void report_blocked_loop(const hooks& to, const blocked_loop& report) noexcept {
  // A coroutine in a worker process has that loop to itself.
  if (report.task.executor == executor_kind::processes) return;
  try {
    if (to.on_blocked_loop) {
      to.on_blocked_loop(report);
      return;
    }
  } catch (...) {
    print_line("brigade: the on_blocked_loop hook threw: " + text_of(std::current_exception()));
  }
  print_line("brigade: " + describe(report.task) + " blocked the event loop for " +
             std::to_string(report.lasted.count()) +
             " ms; submit it to threads or processes, or make it a coroutine");
}

void report_starving_queue(const hooks& to, const starving_queue& report) noexcept {
  if (!to.on_starving_queue) return;
  try {
    to.on_starving_queue(report);
  } catch (...) {
    print_line("brigade: the on_starving_queue hook threw: " + text_of(std::current_exception()));
  }
}

}  // namespace brigade::detail
