#include <brigade/os/lifeline.hpp>

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <optional>

#include <brigade/os/poll.hpp>
#include <brigade/os/proc.hpp>
#include <brigade/os/process.hpp>
#include <brigade/os/signal.hpp>
#include <brigade/os/spawn.hpp>

#include "support/eventually.hpp"

using namespace brigade;
using namespace std::chrono_literals;
using std::chrono::steady_clock;

namespace {

const os::process_end killed{std::nullopt, SIGKILL};

void spin() {
  const volatile bool always = true;
  while (always) {
  }
}

void say(int fd) {
  const std::byte ready{1};
  os::write_full(fd, {&ready, 1});
}

void hear(int fd, std::size_t times = 1) {
  std::array<std::byte, 1> ready;
  for (std::size_t i = 0; i < times; ++i) {
    REQUIRE(os::wait_readable(fd, steady_clock::now() + 60s));
    REQUIRE(os::read_full(fd, ready) == 1);
  }
}

bool ends(int pidfd) { return os::wait_readable(pidfd, steady_clock::now() + 60s); }

// A host process whose spinning child holds its lifeline, and whose grandchild, forked from that
// child, holds it too. It says on `ready` that they do, and on a byte from `go` does `what`.
os::child_process start_host(int ready, int go, void (*what)()) {
  os::child_process host(os::fork_child());
  if (host.pid() != 0) return host;
  os::lifeline line;
  const os::pipe armed = os::make_pipe();
  if (os::fork_child() == 0) {
    line.let_go();
    const os::lifeline_hold hold(line.holder_end());
    if (os::fork_child() == 0) {
      const os::lifeline_hold again(line.holder_end());
      say(armed.write_end.get());
      spin();
    }
    say(armed.write_end.get());
    spin();
  }
  std::array<std::byte, 2> both;
  if (os::read_full(armed.read_end.get(), both) != 2) ::_exit(1);
  say(ready);
  std::array<std::byte, 1> room;
  if (os::read_full(go, room) != 1) ::_exit(1);
  what();
  ::_exit(0);
}

void check_that_holders_end(void (*what)(), int signal) {
  const os::pipe ready = os::make_pipe();
  const os::pipe go = os::make_pipe();
  os::child_process host = start_host(ready.write_end.get(), go.read_end.get(), what);
  hear(ready.read_end.get());
  const auto holders = os::descendants_of(host.pid());
  REQUIRE(holders.size() == 2);
  const os::unique_fd child = os::open_pidfd(holders[0]);
  const os::unique_fd grandchild = os::open_pidfd(holders[1]);
  say(go.write_end.get());
  if (signal != 0) CHECK(host.kill(signal));
  host.wait();
  CHECK(ends(child.get()));
  CHECK(ends(grandchild.get()));
}

}  // namespace

TEST_CASE("a spinning holder is killed when the host lets go") {
  os::lifeline line;
  const os::pipe ready = os::make_pipe();
  os::child_process child(os::fork_child());
  if (child.pid() == 0) {
    line.let_go();
    const os::lifeline_hold hold(line.holder_end());
    say(ready.write_end.get());
    spin();
  }
  hear(ready.read_end.get());
  CHECK(os::try_wait_for_child(child.pid()) == std::nullopt);
  line.let_go();
  CHECK(child.wait_until(steady_clock::now() + 60s) == killed);
}

TEST_CASE("every holder is killed when the host is killed, spinning or not, child or grandchild") {
  check_that_holders_end([] { ::pause(); }, SIGKILL);
}

TEST_CASE("every holder is killed when the host crashes") {
  check_that_holders_end(
      [] {
        os::set_soft_limit(RLIMIT_CORE, 0);
        ::raise(SIGABRT);
      },
      0);
}

TEST_CASE("every holder is killed when the host exits") {
  check_that_holders_end([] {}, 0);
}

TEST_CASE("every holder is killed when the host becomes another program") {
  check_that_holders_end([] { ::execl("/bin/true", "true", nullptr); }, 0);
}

TEST_CASE("a stopped holder is killed too") {
  os::lifeline line;
  const os::pipe ready = os::make_pipe();
  os::child_process child(os::fork_child());
  if (child.pid() == 0) {
    line.let_go();
    const os::lifeline_hold hold(line.holder_end());
    say(ready.write_end.get());
    spin();
  }
  hear(ready.read_end.get());
  CHECK(child.kill(SIGSTOP));
  CHECK(testing::eventually([&] {
    const auto stat = os::read_process_stat(child.pid());
    return stat && stat->state == 'T';
  }));
  line.let_go();
  CHECK(child.wait_until(steady_clock::now() + 60s) == killed);
}

TEST_CASE("a holder that comes after the host has gone is killed at once") {
  os::lifeline line;
  line.let_go();
  os::child_process child(os::fork_child());
  if (child.pid() == 0) {
    const os::lifeline_hold hold(line.holder_end());
    ::_exit(0);
  }
  CHECK(child.wait_until(steady_clock::now() + 60s) == killed);
}

TEST_CASE("a program that was started with a lifeline holds it") {
  os::lifeline line;
  const os::pipe ready = os::make_pipe();
  os::spawn_options options;
  options.path = PEERS "/os_peer";
  options.arguments = {"os_peer", "hold", "3"};
  options.descriptors = {{ready.write_end.get(), 1}, {2, 2}, {line.holder_end(), 3}};
  os::child_process child = os::spawn(options);
  hear(ready.read_end.get());
  CHECK(os::try_wait_for_child(child.pid()) == std::nullopt);
  line.let_go();
  CHECK(child.wait_until(steady_clock::now() + 60s) == killed);
}

TEST_CASE("letting go in a forked child changes nothing while the host lives") {
  os::lifeline line;
  const os::pipe ready = os::make_pipe();
  const os::pipe go = os::make_pipe();
  os::child_process holder(os::fork_child());
  if (holder.pid() == 0) {
    line.let_go();
    const os::lifeline_hold hold(line.holder_end());
    say(ready.write_end.get());
    std::array<std::byte, 1> room;
    (void)os::read_full(go.read_end.get(), room);
    ::_exit(5);
  }
  hear(ready.read_end.get());
  os::child_process other(os::fork_child());
  if (other.pid() == 0) {
    line.let_go();
    ::_exit(0);
  }
  other.wait();
  say(go.write_end.get());
  CHECK(holder.wait().exit_code == 5);
}
