#include <brigade/sync/small_mutex.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <mutex>
#include <thread>
#include <vector>

using brigade::detail::small_mutex;

TEST_CASE("the mutex takes four bytes") { CHECK(sizeof(small_mutex) == 4); }

TEST_CASE("only one thread at a time is inside, and all get in") {
  small_mutex mutex;
  long count = 0;  // not atomic: the thread sanitizer would tell
  std::vector<std::thread> threads;
  for (int each = 0; each < 4; ++each) {
    threads.emplace_back([&] {
      for (int round = 0; round < 20000; ++round) {
        const std::lock_guard lock(mutex);
        ++count;
      }
    });
  }
  for (std::thread& each : threads) each.join();
  CHECK(count == 80000);
}

TEST_CASE("whoever has had it last may destroy it") {
  for (int round = 0; round < 2000; ++round) {
    auto mutex = std::make_unique<small_mutex>();
    bool handed_over = false;
    mutex->lock();
    std::thread other([&] {
      mutex->lock();
      CHECK(handed_over);
      mutex->unlock();
      mutex.reset();
    });
    handed_over = true;
    mutex->unlock();
    other.join();
  }
}
