#include <brigade/os/proc.hpp>

#include <doctest/doctest.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <thread>
#include <vector>

#include <brigade/os/clock.hpp>
#include <brigade/os/cpu.hpp>
#include <brigade/os/pipe.hpp>
#include <brigade/os/process.hpp>
#include <brigade/os/thread.hpp>

#include "support/eventually.hpp"

using namespace brigade;
using namespace std::chrono_literals;

namespace {

constexpr std::uint64_t mebibyte = 1024 * 1024;
constexpr pid_t nobody = 0x7ffffff0;

// Memory that is written; the compiler cannot know that nobody reads it.
std::vector<char> written(std::size_t bytes) {
  std::vector<char> data(bytes, 1);
  asm volatile("" : : "r"(data.data()) : "memory");
  return data;
}

void pause_for_ever() {
  for (;;) ::pause();
}

}  // namespace

TEST_CASE("memory that is written counts as private and dirty, and as this process's share") {
  const auto before = os::read_memory(::getpid());
  REQUIRE(before.has_value());
  const std::vector<char> data = written(32 * mebibyte);
  const auto after = os::read_memory(::getpid());
  REQUIRE(after.has_value());
  CHECK(after->pss_bytes >= before->pss_bytes + 30 * mebibyte);
  CHECK(after->private_dirty_bytes >= before->private_dirty_bytes + 30 * mebibyte);
  CHECK(os::read_peak_resident_bytes(::getpid()).value_or(0) >= 32 * mebibyte);
}

TEST_CASE("memory shared with a child counts once in the sum") {
  const std::vector<char> data = written(32 * mebibyte);
  const auto alone = os::read_memory(::getpid());
  os::child_process child(os::fork_child());
  if (child.pid() == 0) pause_for_ever();
  const auto shared = os::read_memory(::getpid());
  const auto other = os::read_memory(child.pid());
  REQUIRE(alone.has_value());
  REQUIRE(shared.has_value());
  REQUIRE(other.has_value());
  CHECK(shared->pss_bytes + other->pss_bytes < alone->pss_bytes + 24 * mebibyte);
}

TEST_CASE("a process tells its name, state, parent, threads and CPU time") {
  const os::pipe done = os::make_pipe();
  os::child_process child(os::fork_child());
  if (child.pid() == 0) {
    ::prctl(PR_SET_NAME, "a) (b c");
    while (os::process_cpu_time() < 60ms) {
    }
    const std::byte one{1};
    os::write_full(done.write_end.get(), {&one, 1});
    pause_for_ever();
  }
  std::byte one;
  CHECK(os::read_full(done.read_end.get(), {&one, 1}) == 1);
  CHECK(testing::eventually([&] {
    const auto stat = os::read_process_stat(child.pid());
    return stat && stat->state == 'S';
  }));
  const auto stat = os::read_process_stat(child.pid());
  REQUIRE(stat.has_value());
  CHECK(stat->command == "a) (b c");
  CHECK(stat->parent == ::getpid());
  CHECK(stat->threads >= 1);
  CHECK(stat->user + stat->system >= 40ms);
  CHECK(*os::process_cpu_time(child.pid()) >= 60ms);
}

TEST_CASE("the time of children that were waited for is kept apart") {
  const auto before = os::read_process_stat(::getpid());
  os::child_process child(os::fork_child());
  if (child.pid() == 0) {
    while (os::process_cpu_time() < 60ms) {
    }
    ::_exit(0);
  }
  child.wait();
  const auto after = os::read_process_stat(::getpid());
  REQUIRE(before.has_value());
  REQUIRE(after.has_value());
  const auto waited = [](const os::process_stat& stat) {
    return stat.waited_children_user + stat.waited_children_system;
  };
  CHECK(waited(*after) - waited(*before) >= 40ms);
}

TEST_CASE("a thread that waits switches voluntarily") {
  const auto before = os::read_context_switches(::getpid());
  const os::pipe there = os::make_pipe();
  const os::pipe back = os::make_pipe();
  std::byte one{1};
  std::thread echo([&] {
    std::byte got;
    while (os::read_full(there.read_end.get(), {&got, 1}) == 1 && got == std::byte{1}) {
      os::write_full(back.write_end.get(), {&got, 1});
    }
  });
  for (int i = 0; i < 100; ++i) {
    os::write_full(there.write_end.get(), {&one, 1});
    CHECK(os::read_full(back.read_end.get(), {&one, 1}) == 1);
  }
  CHECK(os::read_context_switches(::getpid()).voluntary >= before.voluntary + 100);
  one = std::byte{0};
  os::write_full(there.write_end.get(), {&one, 1});
  echo.join();
}

TEST_CASE("threads and families are found") {
  const os::pipe ready = os::make_pipe();
  os::child_process child(os::fork_child());
  if (child.pid() == 0) {
    os::child_process grandchild(os::fork_child());
    const std::byte one{1};
    os::write_full(ready.write_end.get(), {&one, 1});
    pause_for_ever();
  }
  std::array<std::byte, 2> both;
  CHECK(os::read_full(ready.read_end.get(), both) == 2);
  const auto children = os::children_of(::getpid());
  CHECK(children == std::vector<pid_t>{child.pid()});
  const auto all = os::descendants_of(::getpid());
  REQUIRE(all.size() == 2);
  const auto grandchildren = os::children_of(child.pid());
  REQUIRE(grandchildren.size() == 1);
  CHECK(std::find(all.begin(), all.end(), grandchildren[0]) != all.end());
  CHECK(os::is_descendant(grandchildren[0], ::getpid()));
  CHECK(os::is_descendant(child.pid(), ::getpid()));
  CHECK_FALSE(os::is_descendant(::getpid(), child.pid()));
  CHECK_FALSE(os::is_descendant(::getpid(), ::getpid()));
  std::thread([] {
    const auto threads = os::threads_of(::getpid());
    CHECK(std::find(threads.begin(), threads.end(), os::thread_id()) != threads.end());
  }).join();
  const os::unique_fd last = os::open_pidfd(grandchildren[0]);
  (void)os::send_signal(last, SIGKILL);
}

TEST_CASE("a child that another thread has started is a child too") {
  std::thread([] {
    os::child_process child(os::fork_child());
    if (child.pid() == 0) pause_for_ever();
    CHECK(os::children_of(::getpid()) == std::vector<pid_t>{child.pid()});
  }).join();
}

TEST_CASE("what a thread gets of a CPU and waits for it is counted") {
  const unsigned shared_cpu = os::allowed_cpus().front();
  const auto spin = [shared_cpu](const std::stop_token& stop) {
    os::pin_this_thread(shared_cpu);
    while (!stop.stop_requested()) {
    }
  };
  const std::jthread one(spin);
  std::atomic<pid_t> other_id{0};
  const std::jthread other([&](const std::stop_token& stop) {
    other_id = os::thread_id();
    spin(stop);
  });
  REQUIRE(testing::eventually([&] { return other_id != 0; }));
  const auto before = os::read_thread_schedule(other_id);
  REQUIRE(before.has_value());
  CHECK(before->ready);
  CHECK(testing::eventually([&] {
    const auto now = os::read_thread_schedule(other_id);
    return now->on_cpu > before->on_cpu + 20ms && now->run_delay > before->run_delay + 20ms;
  }));
  CHECK_FALSE(os::read_thread_schedule(nobody).has_value());
}

TEST_CASE("a process that is not there has no readings") {
  CHECK(os::read_memory(nobody) == std::nullopt);
  CHECK(os::read_peak_resident_bytes(nobody) == std::nullopt);
  CHECK(os::read_process_stat(nobody) == std::nullopt);
  CHECK(os::read_context_switches(nobody).voluntary == 0);
  CHECK(os::children_of(nobody).empty());
  CHECK_FALSE(os::is_descendant(nobody, 1));
}

TEST_CASE("texts of /proc are read by name, and broken ones not at all") {
  const auto memory = os::parse_smaps_rollup(
      "5581-7ffd ---p 00000000 00:00 0 [rollup]\nRss: 10 kB\nPss:                 812 kB\n"
      "Pss_Dirty: 1 kB\nPrivate_Dirty:       104 kB\n");
  CHECK(memory.pss_bytes == 812 * 1024);
  CHECK(memory.private_dirty_bytes == 104 * 1024);
  for (const std::string_view text : {"", "1", "1 (a", "1 (a) S", "1 )a( S 2", ")("}) {
    CHECK(os::parse_process_stat(text) == std::nullopt);
  }
}
