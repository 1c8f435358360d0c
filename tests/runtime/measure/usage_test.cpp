#include <brigade/measure/usage.hpp>

#include <doctest/doctest.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <thread>
#include <vector>

#include <brigade/os/clock.hpp>
#include <brigade/os/memfd.hpp>
#include <brigade/os/pipe.hpp>
#include <brigade/os/proc.hpp>
#include <brigade/os/process.hpp>

#include "support/eventually.hpp"

using namespace brigade;
using namespace std::chrono_literals;

namespace {

constexpr std::uint64_t mebibyte = 1024 * 1024;

// The kernel counts the CPU time of other processes in steps of this. The checks have no bound of
// their own above what was burnt: time that a hypervisor took away counts as used.
constexpr auto tick = 10ms;

void burn(std::chrono::milliseconds cpu) {
  const auto end = os::thread_cpu_time() + cpu;
  while (os::thread_cpu_time() < end) {
  }
}

// Memory that goes back to the system with its owner, also under a sanitizer's allocator.
os::mapping written(std::size_t bytes) {
  const os::unique_fd memory = os::make_sealed_memfd("written", bytes);
  os::mapping mapped(memory.get(), bytes);
  std::memset(mapped.data(), 1, bytes);
  return mapped;
}

void say(const os::pipe& pipe) {
  const std::byte one{1};
  os::write_full(pipe.write_end.get(), {&one, 1});
}

void hear(const os::pipe& pipe) {
  std::byte one;
  CHECK(os::read_full(pipe.read_end.get(), {&one, 1}) == 1);
}

}  // namespace

TEST_CASE("the CPU time of all threads counts, also of those that have ended") {
  const auto clock_before = os::process_cpu_time();
  const auto before = measure::read_usage();
  std::thread([] { burn(40ms); }).join();
  burn(20ms);
  const auto used = measure::read_usage() - before;
  CHECK(used.cpu() >= 60ms);
  CHECK(used.cpu() <= os::process_cpu_time() - clock_before + tick);
  CHECK(used.cpu_s() == doctest::Approx(std::chrono::duration<double>(used.cpu()).count()));
}

TEST_CASE("the CPU time of a child counts once: while it lives and when it has been waited for") {
  const os::pipe ready = os::make_pipe();
  const auto clock_before = os::process_cpu_time();
  const auto reaped_before = os::read_resource_usage(os::usage_of::waited_children);
  const auto before = measure::read_usage();
  os::child_process child(os::fork_child());
  if (child.pid() == 0) {
    burn(50ms);
    say(ready);
    for (;;)
      ::pause();
  }
  hear(ready);
  const auto alive = measure::read_usage() - before;
  CHECK(alive.cpu() >= 50ms);
  const auto child_clock = os::process_cpu_time(child.pid());
  REQUIRE(child_clock.has_value());
  CHECK(alive.cpu() <= os::process_cpu_time() - clock_before + *child_clock + 2 * tick);
  child.kill(SIGKILL);
  child.wait();
  const auto gone = measure::read_usage() - before;
  CHECK(gone.cpu() >= 50ms);
  const auto reaped = os::read_resource_usage(os::usage_of::waited_children);
  CHECK(gone.cpu() <= os::process_cpu_time() - clock_before + reaped.user + reaped.system -
                          reaped_before.user - reaped_before.system + 2 * tick);
}

TEST_CASE("a grandchild that its parent has waited for counts while that parent lives") {
  const os::pipe ready = os::make_pipe();
  const auto before = measure::read_usage();
  os::child_process child(os::fork_child());
  if (child.pid() == 0) {
    os::child_process grandchild(os::fork_child());
    if (grandchild.pid() == 0) {
      burn(50ms);
      ::_exit(0);
    }
    grandchild.wait();
    say(ready);
    for (;;)
      ::pause();
  }
  hear(ready);
  CHECK((measure::read_usage() - before).cpu() >= 40ms);  // counted in steps of 10 ms
}

TEST_CASE("an uncounted child uses nothing and holds nothing") {
  const os::pipe ready = os::make_pipe();
  os::child_process child(os::fork_child());
  if (child.pid() == 0) {
    burn(50ms);
    say(ready);
    for (;;)
      ::pause();
  }
  hear(ready);
  const std::vector<int> uncounted{child.pid()};
  CHECK(measure::read_usage().cpu() - measure::read_usage(uncounted).cpu() > 40ms);
  CHECK(measure::read_pss_bytes(uncounted) < measure::read_pss_bytes());
}

TEST_CASE("waiting counts as a voluntary switch") {
  const os::pipe there = os::make_pipe();
  const os::pipe back = os::make_pipe();
  const auto before = measure::read_usage();
  std::thread echo([&] {
    for (int i = 0; i < 100; ++i) {
      hear(there);
      say(back);
    }
  });
  for (int i = 0; i < 100; ++i) {
    say(there);
    hear(back);
  }
  echo.join();
  CHECK((measure::read_usage() - before).voluntary_switches >= 100);
}

TEST_CASE("the sampler sees memory of this process and of its children, also when it is gone") {
  const std::uint64_t base = measure::read_pss_bytes();
  measure::peak_sampler sampler(1ms);
  const os::pipe ready = os::make_pipe();
  os::child_process child(os::fork_child());
  if (child.pid() == 0) {
    const auto data = written(16 * mebibyte);
    say(ready);
    for (;;)
      ::pause();
  }
  hear(ready);
  {
    const auto data = written(16 * mebibyte);
    // Held until a whole look has seen it: the one after the one that may be under way.
    const std::uint64_t looks = sampler.looks();
    CHECK(testing::eventually([&] { return sampler.looks() >= looks + 2; }));
  }
  child = {};
  const std::uint64_t peak = sampler.stop();
  CHECK(peak >= base + 30 * mebibyte);
  CHECK(sampler.looks() >= 2);
  CHECK(measure::read_pss_bytes() < base + 8 * mebibyte);
  CHECK(sampler.stop() == peak);
}

TEST_CASE("looking costs little, and what it costs is known") {
  // The last look, which no pause follows, may meet a moment in which the machine is taken away.
  bool little = false;
  for (int attempt = 0; attempt < 5 && !little; ++attempt) {
    const auto before = measure::read_usage();
    const auto begin = std::chrono::steady_clock::now();
    measure::peak_sampler sampler(1ms);
    CHECK(testing::eventually([&] { return sampler.looks() >= 25; }));
    CHECK(sampler.stop() > 0);
    const auto wall = std::chrono::steady_clock::now() - begin;
    const auto used = measure::read_usage() - before;
    const auto cost = sampler.cost().cpu();
    CHECK(cost <= used.cpu());
    CHECK(cost > 0ms);
    little = cost < wall / 10;
    MESSAGE("sampling took " << cost.count() / 1000 << " us of " << wall / 1us << " us");
  }
  CHECK(little);
}

TEST_CASE("a sampler that is stopped at once has looked") {
  CHECK(measure::peak_sampler().stop() > 0);
  const measure::peak_sampler unused;
}

TEST_CASE("counts never go below zero") {
  measure::usage less;
  measure::usage more;
  more.user = 5ms;
  more.voluntary_switches = 3;
  CHECK((less - more).cpu() == 0ms);
  CHECK((less - more).voluntary_switches == 0);
  CHECK((more - less).voluntary_switches == 3);
  CHECK((more + more).user == 10ms);
}
