#include <brigade/os/thread.hpp>

#include <doctest/doctest.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include <brigade/os/clock.hpp>
#include <brigade/os/fd.hpp>

using namespace brigade;
using namespace std::chrono_literals;

TEST_CASE("a thread's name is cut to what the kernel keeps and shows in /proc") {
  std::thread([] {
    os::set_thread_name("a-name-that-is-too-long");
    CHECK(os::thread_name() == "a-name-that-is-");
    const std::string file = "/proc/self/task/" + std::to_string(os::thread_id()) + "/comm";
    CHECK(os::read_text_file(file) == "a-name-that-is-\n");
  }).join();
}

TEST_CASE("the main thread's id is the process's and another thread's is not") {
  CHECK(os::thread_id() == ::getpid());
  std::thread([] { CHECK(os::thread_id() != ::getpid()); }).join();
}

TEST_CASE("a thread's CPU clock counts its own work, the process's that of all threads") {
  const auto process_before = os::process_cpu_time();
  const auto here_before = os::thread_cpu_time();
  std::thread([] {
    while (os::thread_cpu_time() < 30ms) {
    }
  }).join();
  const auto here = os::thread_cpu_time() - here_before;
  // No bound on `here` itself: time that a hypervisor took away counts as the thread's own.
  CHECK(os::process_cpu_time() - process_before >= here + 30ms);
  CHECK(*os::process_cpu_time(::getpid()) >= os::process_cpu_time() - 10ms);
}

TEST_CASE("the coarse clock follows the steady clock and is never ahead of it") {
  for (int i = 0; i < 100; ++i) {
    const auto coarse = os::coarse_now();
    const auto exact = std::chrono::steady_clock::now();
    CHECK(coarse <= exact);
    CHECK(exact - coarse < 10s);  // 10 ms and whatever the scheduler adds
  }
}

TEST_CASE("there is no CPU clock of a process that is not there") {
  CHECK(os::process_cpu_time(0x7ffffff0) == std::nullopt);
}

TEST_CASE("deadlines become what the kernel's calls want") {
  const auto now = std::chrono::steady_clock::now();
  CHECK(os::milliseconds_until(std::nullopt) == -1);
  CHECK(os::milliseconds_until(now) == 0);
  CHECK(os::milliseconds_until(now - 1h) == 0);
  CHECK(os::milliseconds_until(now + 1h) > 3'590'000);
  CHECK(os::milliseconds_until(os::deadline::max()) > 0);
  const timespec time = os::to_timespec(os::deadline(1500ms));
  CHECK(time.tv_sec == 1);
  CHECK(time.tv_nsec == 500'000'000);
  CHECK(os::to_timespec(os::deadline(-5s)).tv_sec == 0);
}
