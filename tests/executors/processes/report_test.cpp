// What is told of a worker that crashed.
#include <csignal>
#include <cstring>

#include <sys/resource.h>
#include <unistd.h>

#include <brigade/os/symbols.hpp>
#include <brigade/processes/black_box.hpp>

#include "executors/processes/pool_support.hpp"

using namespace pool_test;

namespace reported {

// Volatile, so that no compiler knows better; not inlined, so that they show.
volatile std::uintptr_t nowhere = 16;
volatile int depth = 0;

[[gnu::noinline]] void stumble() {
  *reinterpret_cast<volatile int*>(nowhere) = 1;
  depth = 1;
}
[[gnu::noinline]] void walk() {
  stumble();
  depth = 2;
}
void no_core() {
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
}
void crash() {
  no_core();
  walk();
}
void abort_it() {
  no_core();
  std::abort();
}
[[gnu::noinline]] int fall(int from) {
  if (nowhere == 0) return 0;
  volatile char room[4096];
  room[from % 4096] = static_cast<char>(from);
  return fall(from + 1) + room[7];
}
int overflow() {
  no_core();
  return fall(1);
}
void is_sent_one() {
  no_core();
  ::raise(SIGSEGV);
  depth = 3;  // not a tail call
}

}  // namespace reported

namespace {

template <class F>
worker_death death_by(start_method how, F f, std::string& text, bool reports = true) {
  runtime_options options = pool_of(2, how);
  options.processes.crash_reports = reports;
  runtime rt(std::move(options));
  try {
    rt.submit({.on = processes, .name = "culprit"}, f).get();
  } catch (const worker_lost& lost) {
    text = lost.what();
    CHECK(lost.task_name() == "culprit");
    check_usable(rt);
    return lost.death();
  }
  FAIL("it came back");
  throw 0;
}

bool mentions(const std::vector<std::string>& backtrace, const std::string& part) {
  return std::ranges::any_of(backtrace,
                             [&](const std::string& each) { return contains(each, part); });
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool sanitized = true;
#else
constexpr bool sanitized = false;
#endif

}  // namespace

TEST_CASE("a fault is told with its address and the calls that led to it") {
  if (sanitized) return;  // they have reports of their own
  for (const start_method how : all_start_methods) {
    CAPTURE(to_string(how));
    std::string text;
    const worker_death death = death_by(how, reported::crash, text);
    CHECK(death.signal == SIGSEGV);
    CHECK(death.fault_address == 16);
    CHECK(death.worker.value() < 2);
    CHECK(death.started);
    CHECK_FALSE(death.out_of_memory);
    REQUIRE(death.backtrace.size() > 3);
    CAPTURE(text);
    CHECK(contains(death.backtrace[0], "reported::stumble()"));
    CHECK(contains(death.backtrace[0], "processes_report_test"));
    CHECK(contains(death.backtrace[1], "reported::walk()"));
    CHECK(contains(text, "SIGSEGV at address 0x10 in reported::stumble()"));
  }
}

TEST_CASE("abort, an overflown stack and a signal that was sent are told too") {
  if (sanitized) return;
  std::string text;
  const worker_death aborted = death_by(start_method::forkserver, reported::abort_it, text);
  CHECK(aborted.signal == SIGABRT);
  CHECK_FALSE(aborted.fault_address);
  CHECK(mentions(aborted.backtrace, "reported::abort_it()"));
  CAPTURE(text);  // what the C library did on the way is left out
  CHECK(contains(text, "called by reported::abort_it()"));
  CHECK_FALSE(contains(text, "called by abort"));
  const worker_death fallen = death_by(start_method::forkserver, reported::overflow, text);
  CHECK(fallen.signal == SIGSEGV);
  CHECK(fallen.fault_address);
  CHECK(mentions(fallen.backtrace, "reported::fall(int)"));
  const worker_death sent = death_by(start_method::forkserver, reported::is_sent_one, text);
  CHECK(sent.signal == SIGSEGV);
  CHECK_FALSE(sent.fault_address);
  CHECK(mentions(sent.backtrace, "reported::is_sent_one()"));
}

TEST_CASE("without reports, or when nothing crashed, there is no backtrace") {
  std::string text;
  CHECK(death_by(start_method::forkserver, reported::is_sent_one, text, false).backtrace.empty());
  CHECK(death_by(
            start_method::spawn, [] { ::_exit(4); }, text)
            .backtrace.empty());
  CHECK(death_by(
            start_method::spawn, [] { ::raise(SIGKILL); }, text)
            .backtrace.empty());
}

TEST_CASE("what a worker scribbles into its box is bounded") {
  os::unique_fd fd;
  const auto box = detail::black_box::make(fd);
  CHECK_FALSE(box.read_crash());
  {
    const detail::black_box theirs(fd.get());
    theirs.begin_crash(SIGBUS, 5);
    for (int i = 0; i < 100; ++i)
      theirs.add_frame(("file" + std::to_string(i)).c_str(), 1);
    theirs.add_frame("file3", 2);
  }
  const auto crash = box.read_crash();
  REQUIRE(crash);
  CHECK(crash->signal == SIGBUS);
  CHECK(crash->backtrace.size() == 21);
  CHECK(crash->backtrace[20] == "file3 + 0x2");
  const os::mapping raw(fd.get(), os::sealed_memfd_bytes(fd.get()));
  std::memset(raw.data(), 0x7f, raw.size());
  const auto nonsense = box.read_crash();
  REQUIRE(nonsense);
  CHECK(nonsense->backtrace.empty());
}

TEST_CASE("places in code have names where there are symbols") {
  CHECK(os::describe_code("/no/such/file", 0x1234) == "file + 0x1234");
  CHECK(os::describe_code("/etc/passwd", 1) == "passwd + 0x1");
  CHECK(os::describe_code("?", 7) == "? + 0x7");
}
