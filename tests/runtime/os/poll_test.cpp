#include <brigade/os/poll.hpp>

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <system_error>
#include <thread>

#include <brigade/os/eventfd.hpp>
#include <brigade/os/pipe.hpp>

using namespace brigade;
using namespace std::chrono_literals;
using std::chrono::steady_clock;

namespace {

// The field is packed: no reference to it.
std::uint64_t token_of(const epoll_event& event) { return event.data.u64; }

}  // namespace

TEST_CASE("an event counts its signals and is readable until drained") {
  const os::eventfd event;
  CHECK_FALSE(os::wait_readable(event.get(), steady_clock::now()));
  CHECK(event.drain() == 0);
  event.signal();
  event.signal();
  CHECK(os::wait_readable(event.get()));
  CHECK(event.drain() == 2);
  CHECK_FALSE(os::wait_readable(event.get(), steady_clock::now()));
}

TEST_CASE("an event wakes a thread that waits for it") {
  const os::eventfd event;
  std::thread waiter([&] {
    CHECK(os::wait_readable(event.get(), steady_clock::now() + 60s));
    CHECK(event.drain() == 1);
  });
  event.signal();
  waiter.join();
}

TEST_CASE("a set of descriptors reports the token of each that is ready") {
  os::epoll set;
  const os::eventfd first;
  const os::eventfd second;
  set.add(first.get(), EPOLLIN, 1);
  set.add(second.get(), EPOLLIN, 2);
  std::array<epoll_event, 8> room;
  CHECK(set.wait(room, steady_clock::now()).empty());
  second.signal();
  auto ready = set.wait(room);
  REQUIRE(ready.size() == 1);
  CHECK(token_of(ready[0]) == 2);
  set.modify(second.get(), EPOLLIN, 3);
  first.signal();
  ready = set.wait(room);
  REQUIRE(ready.size() == 2);
  CHECK(token_of(ready[0]) + token_of(ready[1]) == 4);
  set.remove(first.get());
  set.remove(second.get());
  CHECK(set.wait(room, steady_clock::now()).empty());
}

TEST_CASE("a wait ends at its deadline, not before") {
  os::epoll set;
  std::array<epoll_event, 1> room;
  const auto until = steady_clock::now() + 20ms;
  CHECK(set.wait(room, until).empty());
  CHECK(steady_clock::now() >= until);
}

TEST_CASE("the end of a pipe is something to read") {
  os::pipe pipe = os::make_pipe();
  pipe.write_end.reset();
  CHECK(os::wait_readable(pipe.read_end.get()));
}

TEST_CASE("watching a closed descriptor is refused") {
  os::epoll set;
  CHECK_THROWS_AS(set.add(-1, EPOLLIN, 0), std::system_error);
}
