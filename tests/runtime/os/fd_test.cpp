#include <brigade/os/fd.hpp>

#include <doctest/doctest.h>
#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>
#include <cstring>
#include <system_error>
#include <thread>
#include <vector>

#include <brigade/os/eventfd.hpp>
#include <brigade/os/lifeline.hpp>
#include <brigade/os/memfd.hpp>
#include <brigade/os/pipe.hpp>
#include <brigade/os/poll.hpp>
#include <brigade/os/process.hpp>
#include <brigade/os/socket.hpp>

#include "support/eventually.hpp"

using namespace brigade;

namespace {

bool is_open(int fd) { return ::fcntl(fd, F_GETFD) != -1; }

std::vector<std::byte> pattern(std::size_t bytes) {
  std::vector<std::byte> data(bytes);
  for (std::size_t i = 0; i < bytes; ++i) data[i] = static_cast<std::byte>(i * 31 % 251);
  return data;
}

}  // namespace

TEST_CASE("an owner closes its descriptor exactly once") {
  int number = -1;
  {
    os::unique_fd first = os::open_file("/dev/null", O_RDONLY);
    number = first.get();
    os::unique_fd second = std::move(first);
    CHECK_FALSE(first);
    CHECK(second.get() == number);
    second = os::duplicate(second.get());
    CHECK_FALSE(is_open(number));
    number = second.get();
    CHECK(is_open(number));
  }
  CHECK_FALSE(is_open(number));
}

TEST_CASE("giving up ownership leaves the descriptor open") {
  const int number = os::open_file("/dev/null", O_RDONLY).release();
  CHECK(is_open(number));
  ::close(number);
}

TEST_CASE("every descriptor of the room is close-on-exec from birth") {
  const os::pipe pipe = os::make_pipe();
  const os::socket_pair stream = os::make_socket_pair();
  const os::socket_pair packets = os::make_socket_pair(os::socket_kind::packets);
  const os::eventfd event;
  const os::unique_fd memory = os::make_sealed_memfd("test", 4096);
  const os::epoll epoll;
  const os::unique_fd self = os::open_pidfd(::getpid());
  const os::unique_fd copy = os::duplicate(pipe.read_end.get());
  const os::unique_fd file = os::open_file("/dev/null", O_RDONLY);
  const os::lifeline line;
  const os::lifeline_hold hold(line.holder_end());
  const int sent = file.get();
  os::send_with_descriptors(stream.first.get(), pattern(1), {&sent, 1});
  std::array<std::byte, 1> room;
  const auto received = os::receive_with_descriptors(stream.second.get(), room);
  REQUIRE(received.descriptors.size() == 1);
  for (const int fd :
       {pipe.read_end.get(), pipe.write_end.get(), stream.first.get(), stream.second.get(),
        packets.first.get(), packets.second.get(), event.get(), memory.get(), epoll.get(),
        self.get(), copy.get(), file.get(), line.holder_end(), hold.get(),
        received.descriptors[0].get()}) {
    CAPTURE(fd);
    CHECK(os::is_close_on_exec(fd));
  }
  // `hold` must go before `line`, or this very process is killed: reverse order does that.
}

TEST_CASE("reading and writing in full cope with full pipes that do not block") {
  const os::pipe pipe = os::make_pipe(O_NONBLOCK);
  const auto sent = pattern(1 << 20);
  std::vector<std::byte> received(sent.size());
  std::thread reader([&] { CHECK(os::read_full(pipe.read_end.get(), received) == sent.size()); });
  os::write_full(pipe.write_end.get(), sent);
  reader.join();
  CHECK(received == sent);
}

TEST_CASE("a read ends early where the stream ends") {
  os::pipe pipe = os::make_pipe();
  os::write_full(pipe.write_end.get(), pattern(3));
  pipe.write_end.reset();
  std::array<std::byte, 8> room;
  CHECK(os::read_full(pipe.read_end.get(), room) == 3);
  CHECK(os::try_read(pipe.read_end.get(), room) == 0);
}

TEST_CASE("one read says when there is nothing yet") {
  const os::pipe pipe = os::make_pipe(O_NONBLOCK);
  std::array<std::byte, 8> room;
  CHECK(os::try_read(pipe.read_end.get(), room) == std::nullopt);
  os::write_full(pipe.write_end.get(), pattern(2));
  CHECK(os::try_read(pipe.read_end.get(), room) == 2);
}

TEST_CASE("signals do not interrupt a read in full") {
  static std::atomic<int> handled{0};
  struct sigaction action {};
  action.sa_handler = [](int) { ++handled; };  // without SA_RESTART
  struct sigaction before {};
  ::sigaction(SIGUSR1, &action, &before);

  const os::pipe pipe = os::make_pipe();
  const auto sent = pattern(64);
  std::vector<std::byte> received(sent.size());
  std::thread reader([&] { CHECK(os::read_full(pipe.read_end.get(), received) == sent.size()); });
  for (const std::byte& one : sent) {
    const int seen = handled;
    ::pthread_kill(reader.native_handle(), SIGUSR1);
    CHECK(testing::eventually([&] { return handled > seen; }));
    os::write_full(pipe.write_end.get(), {&one, 1});
  }
  reader.join();
  CHECK(received == sent);
  ::sigaction(SIGUSR1, &before, nullptr);
}

TEST_CASE("a file is known again by any of its descriptors, and another one in its place is not") {
  const os::unique_fd file = os::make_memfd("one");
  const os::unique_fd other = os::make_memfd("other");
  os::unique_fd copy = os::duplicate(file.get());
  const os::file_identity known = os::identity_of(file.get());
  const int number = copy.get();
  CHECK(os::is_same_file(number, known));
  REQUIRE(::dup2(other.get(), number) == number);
  CHECK_FALSE(os::is_same_file(number, known));
  copy.reset();
  CHECK_FALSE(os::is_same_file(number, known));
  CHECK_THROWS_AS((void)os::identity_of(-1), std::system_error);
}

TEST_CASE("a failed call says which call failed on what") {
  try {
    (void)os::open_file("/does/not/exist", O_RDONLY);
    FAIL("opened");
  } catch (const std::system_error& failure) {
    CHECK(failure.code() == std::errc::no_such_file_or_directory);
    CHECK(std::string(failure.what()).find("open of '/does/not/exist'") == 0);
  }
}

TEST_CASE("a file in /proc is read whole, and a missing one is not there") {
  CHECK(os::read_text_file("/proc/self/maps").find("[stack]") != std::string::npos);
  CHECK(os::try_read_text_file("/does/not/exist") == std::nullopt);
}
