// Operations through use_task allocate nothing once they have been done before.
#include <brigade/reactor/use_task.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <new>

#include <asio/local/connect_pair.hpp>
#include <asio/local/stream_protocol.hpp>
#include <asio/read.hpp>
#include <asio/steady_timer.hpp>
#include <asio/write.hpp>

#include <brigade/reactor/io_context.hpp>

#include "small_runtime.hpp"

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

namespace {

std::atomic<long> allocations{0};

void* counted(void* block) {
  allocations.fetch_add(1, std::memory_order_relaxed);  // read when all has come to rest
  if (block == nullptr) throw std::bad_alloc();
  return block;
}

}  // namespace

// Asio allocates with aligned_alloc. All of glibc's, whose own names stay what they are.
extern "C" void* __libc_memalign(std::size_t alignment, std::size_t size);
extern "C" void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept {
  allocations.fetch_add(1, std::memory_order_relaxed);
  return __libc_memalign(alignment, size);
}
[[gnu::noinline]] void* operator new(std::size_t size) { return counted(std::malloc(size)); }
[[gnu::noinline]] void* operator new(std::size_t size, std::align_val_t alignment) {
  return counted(__libc_memalign(static_cast<std::size_t>(alignment), size));
}
[[gnu::noinline]] void operator delete(void* block) noexcept { std::free(block); }
[[gnu::noinline]] void operator delete(void* block, std::size_t) noexcept { std::free(block); }
[[gnu::noinline]] void operator delete(void* block, std::align_val_t) noexcept { std::free(block); }
[[gnu::noinline]] void operator delete(void* block, std::size_t, std::align_val_t) noexcept {
  std::free(block);
}

using namespace brigade;
using namespace std::chrono_literals;
using stream = asio::local::stream_protocol::socket;

namespace {

constexpr int warm_up = 200;
constexpr int rounds = 2000;

task<void> echo(stream& socket, int count) {
  std::array<char, 64> data{};
  for (int i = 0; i < count; ++i) {
    co_await asio::async_read(socket, asio::buffer(data), use_task);
    co_await asio::async_write(socket, asio::buffer(data), use_task);
  }
}

// The allocations of all threads while two tasks send messages to and fro.
task<long> talk(executor_kind other) {
  stream mine(io_context());
  stream theirs(io_context());
  asio::local::connect_pair(mine, theirs);
  auto echoing = submit(other, [&theirs] { return echo(theirs, warm_up + rounds); });
  std::array<char, 64> data{};
  long before = 0;
  for (int i = 0; i < warm_up + rounds; ++i) {
    if (i == warm_up) before = allocations.load();
    co_await asio::async_write(mine, asio::buffer(data), use_task);
    co_await asio::async_read(mine, asio::buffer(data), use_task);
  }
  const long during = allocations.load() - before;
  co_await std::move(echoing);
  co_return during;
}

task<long> tick() {
  long before = 0;
  asio::steady_timer timer(io_context());
  for (int i = 0; i < warm_up + rounds; ++i) {
    if (i == warm_up) before = allocations.load();
    timer.expires_after(1us);
    co_await timer.async_wait(use_task);
  }
  co_return allocations.load() - before;
}

}  // namespace

TEST_CASE("reads, writes and timers through use_task allocate nothing in the steady state") {
  // A report of a loop that other programs kept from running would allocate.
  brigade::testing::small_runtime rt({.blocked_after = 0ms});
  // Of several tries the one with the fewest: a thread may begin, or have its first operation, at
  // any time. What each operation allocated would be there in every try, thousands of times.
  const auto fewest = [&](auto&&... call) {
    long least = rt.submit(call...).get();
    for (int attempt = 1; attempt < 5 && least != 0; ++attempt)
      least = std::min(least, rt.submit(call...).get());
    return least;
  };
  CHECK(fewest(loop, talk, executor_kind::loop) == 0);
  CHECK(fewest(threads, talk, executor_kind::loop) == 0);
  CHECK(fewest(threads, talk, executor_kind::threads) == 0);
  CHECK(fewest(loop, tick) == 0);
  CHECK(fewest(threads, tick) == 0);
}

#endif
