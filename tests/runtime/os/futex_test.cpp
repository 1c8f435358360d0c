#include <brigade/os/futex.hpp>

#include <doctest/doctest.h>
#include <unistd.h>

#include <array>
#include <new>
#include <thread>
#include <vector>

#include <brigade/os/memfd.hpp>
#include <brigade/os/process.hpp>

using namespace brigade;
using namespace std::chrono_literals;
using std::chrono::steady_clock;

namespace {

using word = std::atomic<std::uint32_t>;

void wait_while(const word& value, std::uint32_t old, os::futex_scope scope) {
  while (value.load() == old) os::futex_wait(value, old, scope);
}

}  // namespace

TEST_CASE("a sleeper wakes when the word changes and somebody wakes it") {
  word value{0};
  std::vector<std::thread> sleepers;
  for (int i = 0; i < 4; ++i) {
    sleepers.emplace_back([&] { wait_while(value, 0, os::futex_scope::this_process); });
  }
  value = 1;
  os::futex_wake(value, os::everybody);
  for (auto& sleeper : sleepers) sleeper.join();
}

TEST_CASE("waking one of several sleepers wakes one") {
  word value{0};
  std::atomic<int> awake{0};
  std::vector<std::thread> sleepers;
  for (int i = 0; i < 3; ++i) {
    sleepers.emplace_back([&] {
      wait_while(value, 0, os::futex_scope::this_process);
      ++awake;
    });
  }
  int woken = 0;
  while (woken == 0) woken = os::futex_wake(value, 1);  // until one is asleep: it sleeps again
  CHECK(woken == 1);
  CHECK(awake == 0);
  value = 1;
  os::futex_wake(value, os::everybody);
  for (auto& sleeper : sleepers) sleeper.join();
  CHECK(awake == 3);
}

TEST_CASE("nobody sleeps on a word that has changed already") {
  const word value{1};
  CHECK(os::futex_wait(value, 0));
}

TEST_CASE("a sleep ends at its deadline, not before") {
  const word value{0};
  const auto until = steady_clock::now() + 20ms;
  while (os::futex_wait(value, 0, os::futex_scope::this_process, until)) {
  }
  CHECK(steady_clock::now() >= until);
  CHECK_FALSE(os::futex_wait(value, 0, os::futex_scope::shared, os::deadline{}));
  CHECK_FALSE(os::futex_wait(value, 0, os::futex_scope::shared, steady_clock::now() - 1h));
}

TEST_CASE("a word in shared memory wakes another process, mapped at another address") {
  const os::unique_fd memory = os::make_sealed_memfd("futex", 4096);
  const os::mapping here(memory.get(), 4096);
  word& value = *new (here.data()) word{0};
  os::child_process child(os::fork_child());
  if (child.pid() == 0) {
    const os::mapping there(memory.get(), 4096);
    auto& same = *reinterpret_cast<word*>(there.data());
    same.store(1);
    os::futex_wake(same, os::everybody, os::futex_scope::shared);
    wait_while(same, 1, os::futex_scope::shared);
    ::_exit(static_cast<int>(same.load()));
  }
  wait_while(value, 0, os::futex_scope::shared);
  value = 7;
  os::futex_wake(value, os::everybody, os::futex_scope::shared);
  CHECK(child.wait().exit_code == 7);
}

TEST_CASE("one thread sleeps on several words, and any of them wakes it") {
  std::atomic<std::uint32_t> first{1};
  std::atomic<std::uint32_t> second{2};
  const std::array<os::futex_watch, 2> words{{{&first, 1}, {&second, 2, os::futex_scope::shared}}};
  const auto probe = os::futex_wait_any(words, std::chrono::steady_clock::now());
  if (!probe) return;  // the kernel cannot
  CHECK_FALSE(*probe);
  std::thread waker([&] {
    second.store(3);
    os::futex_wake(second, 1, os::futex_scope::shared);
  });
  while (second.load() == 2) CHECK(*os::futex_wait_any(words));
  waker.join();
  CHECK(*os::futex_wait_any(words));  // one of them is different already
}
