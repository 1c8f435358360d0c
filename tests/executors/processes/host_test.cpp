// What the host keeps, loses and is told, whatever kind of host it is.
#include <atomic>
#include <csignal>
#include <cstring>
#include <memory>
#include <thread>

#include <fcntl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <brigade/os/pipe.hpp>
#include <brigade/os/poll.hpp>
#include <brigade/os/proc.hpp>
#include <brigade/os/process.hpp>
#include <brigade/os/spawn.hpp>

#include "executors/processes/host_program.hpp"
#include "executors/processes/pool_support.hpp"

using namespace pool_test;

namespace {

std::vector<std::pair<std::string, start_method>> every_kind_of_child() {
  std::vector<std::pair<std::string, start_method>> kinds;
  for (const start_method how : all_start_methods) {
    kinds.emplace_back("spin", how);
    kinds.emplace_back("processes", how);
  }
  return kinds;
}

std::string complaint_of(const std::string& fault, start_method how) {
  const host_program host = start_host("task", how, "", {"MISBEHAVE=" + fault});
  return host.line();
}

class disposition {
 public:
  explicit disposition(void (*handler)(int)) {
    struct sigaction wanted {};
    wanted.sa_handler = handler;
    ::sigaction(SIGCHLD, &wanted, &before_);
  }
  ~disposition() { ::sigaction(SIGCHLD, &before_, nullptr); }
  [[nodiscard]] static auto current() {
    struct sigaction now {};
    ::sigaction(SIGCHLD, nullptr, &now);
    return now.sa_handler;
  }

 private:
  struct sigaction before_ {};
};

std::atomic<int> children_seen{0};
void note_child(int) { children_seen.fetch_add(1); }

void exit_42() { ::_exit(42); }

void check_pool(start_method how) {
  runtime rt(pool_of(2, how));
  check_usable(rt);
  try {
    rt.submit(processes, exit_42).get();
    FAIL("it came back");
  } catch (const worker_lost& lost) {
    CHECK(lost.exit_code() == 42);
  }
  check_usable(rt);
}

}  // namespace

TEST_CASE("SIGKILL of the host leaves nothing, even of tasks and processes that spin") {
  for (const auto& [what, how] : every_kind_of_child()) {
    CAPTURE(what);
    CAPTURE(to_string(how));
    const signs sign;
    host_program host = start_host(what, how, sign(""));
    sign.await("1");
    sign.await("2");
    std::vector<os::unique_fd> all;
    for (const pid_t pid : os::descendants_of(host.process.pid())) {
      all.push_back(os::open_pidfd(pid));
    }
    // What forks supervisors, too; and with `fork` each process has a supervisor of its own.
    const std::size_t expected = how != start_method::fork ? 3 : what == "spin" ? 4 : 6;
    CHECK(all.size() == expected);
    CHECK(host.process.kill(SIGKILL));
    host.process.wait();
    for (const os::unique_fd& each : all) {
      CHECK(os::wait_readable(each.get(), std::chrono::steady_clock::now() + 60s));
    }
  }
}

TEST_CASE("Ctrl-C is for the host: handled, it harms no task; unhandled, it ends all") {
  for (const start_method how : all_start_methods) {
    CAPTURE(to_string(how));
    const signs sign;
    host_program host = start_host("ctrl-c", how, sign(""));
    sign.await("here");
    ::kill(-host.process.pid(), SIGINT);  // as a terminal does: to the whole group
    CHECK(host.line() == "interrupted");
    give_sign(sign("go"));
    CHECK(host.line() == "49");
    sign.await("1");
    std::vector<os::unique_fd> all;
    for (const pid_t pid : os::descendants_of(host.process.pid())) {
      all.push_back(os::open_pidfd(pid));
    }
    CHECK(all.size() >= 2);  // the supervisor and a worker; the other may still be starting
    ::kill(-host.process.pid(), SIGINT);
    CHECK(host.process.wait() == os::process_end{std::nullopt, SIGINT});
    for (const os::unique_fd& each : all) {
      CHECK(os::wait_readable(each.get(), std::chrono::steady_clock::now() + 60s));
    }
  }
}

TEST_CASE("a host with a GiB of memory in use has small workers") {
  std::size_t size = std::size_t{1} << 30;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  size >>= 4;
#endif
  const std::vector<char> dirty(size, 'x');
  for (const start_method how : exec_start_methods) {
    runtime rt(pool_of(2, how));
    check_usable(rt);
    for (const worker_info& each : rt.workers()) {
      CHECK(os::read_private_resident_bytes(each.pid).value() < size / 2);
    }
  }
  check_pool(start_method::fork);
  CHECK(dirty[size / 2] == 'x');
}

TEST_CASE("a supervisor that was stopped is woken when it is needed") {
  for (const start_method how : all_start_methods) {
    CAPTURE(to_string(how));
    const signs sign;
    runtime rt(pool_of(2, how));
    auto running = rt.submit(processes, spin, sign("1"));
    sign.await("1");
    const int supervisor = rt.submit(processes, [] { return ::getppid(); }).get();
    ::kill(supervisor, SIGSTOP);
    running.cancel();
    CHECK_THROWS_AS(running.get(), task_cancelled);
    check_usable(rt);
    ::kill(supervisor, SIGSTOP);
    CHECK_THROWS_AS(rt.submit(processes, exit_42).get(), worker_lost);
    check_usable(rt);
    ::kill(supervisor, SIGSTOP);
  }
}

TEST_CASE("a supervisor that cannot be woken does not keep shutdown from ending") {
  std::vector<std::unique_ptr<runtime>> pools;
  std::vector<os::unique_fd> all;
  for (const start_method how : exec_start_methods) {
    runtime_options options = pool_of(2, how);
    options.processes.kill_grace = 10ms;
    runtime& rt = *pools.emplace_back(std::make_unique<runtime>(std::move(options)));
    const pid_t supervisor = rt.submit(processes, [] { return ::getppid(); }).get();
    // A debugger's stop, which SIGCONT does not end.
    if (::ptrace(PTRACE_SEIZE, supervisor, nullptr, nullptr) != 0) {
      MESSAGE("nothing may be traced here");
      return;
    }
    REQUIRE(::ptrace(PTRACE_INTERRUPT, supervisor, nullptr, nullptr) == 0);
    all.push_back(os::open_pidfd(supervisor));
    for (const worker_info& each : rt.workers())
      all.push_back(os::open_pidfd(each.pid));
  }
  // A pool that goes on presses its supervisor twenty times, a second apart at least; one that ends
  // does so twice. What lies between is for the machine to be slow.
  const auto begin = std::chrono::steady_clock::now();
  std::vector<std::jthread> threads;
  for (const auto& each : pools) {
    threads.emplace_back([&] { CHECK(each->shutdown()); });
  }
  threads.clear();
  CHECK(std::chrono::steady_clock::now() - begin < 60s);
  for (const os::unique_fd& each : all) {
    CHECK(os::wait_readable(each.get(), std::chrono::steady_clock::now() + 60s));
  }
}

TEST_CASE("a program that forgot init is told so at first use, and nothing is started") {
  CHECK(complaint_of("no init", start_method::fork) == "result 49");  // which needs none
  for (const start_method how : exec_start_methods) {
    const std::string text = complaint_of("no init", how);
    CHECK(text.starts_with("worker_start_failed"));
    CHECK(contains(text, "brigade::init(argc, argv)"));
  }
}

TEST_CASE("a program whose main does not pass its arguments starts no host in a worker") {
  const std::string text = complaint_of("empty init", start_method::forkserver);
  // The first line is of the process that took itself for a host.
  CHECK(contains(text, "worker_start_failed"));
  CHECK(contains(text, "did not pass its arguments to brigade::init(argc, argv)"));
}

TEST_CASE("a program that ends or hangs before init is given up") {
  for (const start_method how : exec_start_methods) {
    const std::string early = complaint_of("exit", how);
    CHECK(early.starts_with("worker_start_failed"));
    CHECK(contains(early, "exited with code 3"));
    CHECK(contains(early, "brigade::init"));
    const std::string hanging = complaint_of("hang", how);
    CHECK(hanging.starts_with("worker_start_failed"));
    CHECK(contains(hanging, "did not reach brigade::init"));
  }
}

TEST_CASE("workers that die at boot trip a breaker") {
  const std::string text = complaint_of("exit in workers", start_method::spawn);
  CHECK(text.starts_with("worker_start_failed"));
  CHECK(contains(text, "exited with code 9"));
  CHECK(contains(text, "times in a row"));
}

TEST_CASE("a library that was replaced while the program runs is found out") {
  const signs folder;
  const std::string library = folder("libpool_versioned_1.so");
  std::filesystem::copy_file(HELPERS "/libpool_versioned_1.so", library);
  const char* const known = std::getenv("LD_LIBRARY_PATH");
  const std::string path =
      "LD_LIBRARY_PATH=" + folder("") + (known != nullptr ? ":" + std::string(known) : "");
  const host_program host =
      start_host("late", start_method::forkserver, "", {path}, HELPERS "/pool_host_versioned");
  CHECK(host.line() == "ready");
  std::filesystem::copy_file(HELPERS "/libpool_versioned_2.so", folder("new"));
  std::filesystem::rename(folder("new"), library);
  host.go_on();
  const std::string text = host.line();
  CHECK(text.starts_with("build_mismatch"));
  CHECK(contains(text, "libpool_versioned_1.so"));
  CHECK(contains(text, "restart it after an update"));
}

TEST_CASE("a program with a thread before main has its workers spawned, not forked") {
  const host_program plain = start_host("how", start_method::forkserver);
  CHECK(plain.line() == "result 49");
  CHECK(contains(plain.line(), "brigade:forkserver"));
  const host_program threaded =
      start_host("how", start_method::forkserver, "", {}, HELPERS "/pool_host_threaded");
  CHECK(threaded.line() == "result 49");
  CHECK(contains(threaded.line(), "brigade:worker"));
}

TEST_CASE("the host's SIGCHLD and its own children are its own") {
  for (const start_method how : all_start_methods) {
    CAPTURE(to_string(how));
    const disposition handler(note_child);
    os::child_process own(os::fork_child());
    if (own.pid() == 0) {
      ::pause();
      ::_exit(0);
    }
    const auto before = disposition::current();
    check_pool(how);
    CHECK((disposition::current() == before));
    children_seen.store(0);
    own.kill(SIGTERM);
    CHECK(own.wait() == os::process_end{std::nullopt, SIGTERM});
    CHECK(testing::eventually([] { return children_seen.load() > 0; }));
  }
}

TEST_CASE("a host that ignores SIGCHLD has a pool like any other") {
  for (const start_method how : all_start_methods) {
    const disposition ignored(SIG_IGN);
    check_pool(how);
    CHECK((disposition::current() == SIG_IGN));
  }
}

TEST_CASE("a host that reaps whatever there is has a pool like any other") {
  for (const start_method how : exec_start_methods) {
    std::atomic<bool> done{false};
    std::thread reaper([&] {
      while (!done.load()) {
        if (::waitpid(-1, nullptr, WNOHANG) <= 0) ::usleep(200);
      }
    });
    check_pool(how);
    done.store(true);
    reaper.join();
  }
}

TEST_CASE("a host without standard descriptors has a pool like any other") {
  const os::unique_fd kept = os::duplicate(1, 10);
  ::close(1);
  check_pool(start_method::forkserver);
  ::dup2(kept.get(), 1);
}

TEST_CASE("a plug-in in a program in C has workers that are a program of its own") {
  if (!std::filesystem::exists(HELPERS "/c_host")) return;  // not built with sanitizers
  for (const bool right : {true, false}) {
    os::pipe out = os::make_pipe();
    os::spawn_options options;
    options.path = HELPERS "/c_host";
    options.arguments = {"c_host", HELPERS "/libc_plugin.so",
                         right ? HELPERS "/c_workers" : "/no/such/program"};
    options.descriptors = {{out.write_end.get(), 1}};
    host_program host{os::spawn(options), {}, std::move(out.read_end)};
    out.write_end.reset();
    CHECK(host.line() == (right ? "55" : "-1"));
    CHECK(host.line() == (right ? "10" : "-1"));
    CHECK(host.process.wait() == os::process_end{0, std::nullopt});
  }
}

TEST_CASE("two pools in one program do not know of each other") {
  runtime first(pool_of(1));
  runtime second(pool_of(2, start_method::spawn));
  check_usable(first);
  check_usable(second);
  CHECK_THROWS_AS(first.submit(processes, exit_42).get(), worker_lost);
  check_usable(second);
  CHECK(second.stats(processes).workers_lost == 0);
}
