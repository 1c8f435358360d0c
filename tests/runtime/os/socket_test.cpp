#include <brigade/os/socket.hpp>

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <system_error>
#include <thread>
#include <vector>

#include <brigade/os/pipe.hpp>

using namespace brigade;

namespace {

const std::vector<std::byte> hello{std::byte{'h'}, std::byte{'e'}, std::byte{'y'}};

bool same_file(int a, int b) {
  struct stat first {};
  struct stat second {};
  return ::fstat(a, &first) == 0 && ::fstat(b, &second) == 0 && first.st_dev == second.st_dev &&
         first.st_ino == second.st_ino;
}

}  // namespace

TEST_CASE("a descriptor travels with a message and works on the other side") {
  for (const auto kind : {os::socket_kind::stream, os::socket_kind::packets}) {
    const os::socket_pair pair = os::make_socket_pair(kind);
    os::pipe pipe = os::make_pipe();
    const std::array<int, 2> sent{pipe.read_end.get(), pipe.write_end.get()};
    os::send_with_descriptors(pair.first.get(), hello, sent);
    std::array<std::byte, 16> room;
    const auto received = os::receive_with_descriptors(pair.second.get(), room);
    CHECK(received.bytes == hello.size());
    REQUIRE(received.descriptors.size() == 2);
    CHECK(same_file(received.descriptors[0].get(), sent[0]));
    os::write_full(received.descriptors[1].get(), hello);
    std::array<std::byte, 3> echo;
    CHECK(os::read_full(pipe.read_end.get(), echo) == 3);
  }
}

TEST_CASE("descriptors that did not fit are refused and none of them stays open") {
  const os::socket_pair pair = os::make_socket_pair(os::socket_kind::packets);
  const os::unique_fd null = os::open_file("/dev/null", O_RDONLY);
  const std::vector<int> sent(3, null.get());
  os::send_with_descriptors(pair.first.get(), hello, sent);
  std::array<std::byte, 1> too_small;
  try {
    (void)os::receive_with_descriptors(pair.second.get(), too_small);
    FAIL("received");
  } catch (const std::system_error& failure) {
    CHECK(failure.code() == std::errc::message_size);
  }
}

TEST_CASE("too many descriptors are refused before anything is sent") {
  const os::socket_pair pair = os::make_socket_pair();
  const std::vector<int> sent(os::max_descriptors_per_message + 1, 0);
  CHECK_THROWS_AS(os::send_with_descriptors(pair.first.get(), hello, sent), std::system_error);
  CHECK_THROWS_AS(os::send_with_descriptors(pair.first.get(), {}, {}), std::system_error);
  std::array<std::byte, 8> room;
  CHECK(os::try_receive(pair.second.get(), room) == std::nullopt);
}

TEST_CASE("as many descriptors as allowed arrive, before a long message") {
  const os::socket_pair pair = os::make_socket_pair();
  const os::unique_fd null = os::open_file("/dev/null", O_RDONLY);
  const std::vector<int> sent(os::max_descriptors_per_message, null.get());
  const std::vector<std::byte> message(1 << 20, std::byte{7});
  std::thread sender([&] { os::send_with_descriptors(pair.first.get(), message, sent); });
  std::vector<std::byte> room(message.size());
  const auto received = os::receive_with_descriptors(pair.second.get(), room);
  CHECK(received.descriptors.size() == sent.size());
  const auto rest = std::span(room).subspan(received.bytes);
  CHECK(os::receive_full(pair.second.get(), rest) == rest.size());
  sender.join();
  CHECK(room == message);
}

TEST_CASE("a peer that is gone is an error to the sender, not a signal") {
  os::socket_pair pair = os::make_socket_pair();
  pair.second.reset();
  CHECK_THROWS_AS(os::send_full(pair.first.get(), hello), std::system_error);
  CHECK_THROWS_AS((void)os::try_send(pair.first.get(), hello), std::system_error);
  CHECK_THROWS_AS(os::send_with_descriptors(pair.first.get(), hello, {}), std::system_error);
}

TEST_CASE("a peer that has closed is the end to the receiver") {
  os::socket_pair pair = os::make_socket_pair();
  os::send_full(pair.first.get(), hello);
  pair.first.reset();
  std::array<std::byte, 8> room;
  CHECK(os::receive_full(pair.second.get(), room) == hello.size());
  CHECK(os::try_receive(pair.second.get(), room) == 0);
  CHECK(os::receive_with_descriptors(pair.second.get(), room).bytes == 0);
}

TEST_CASE("sending in full waits on a socket that does not block") {
  const os::socket_pair pair = os::make_socket_pair();
  os::set_nonblocking(pair.first.get(), true);
  os::set_nonblocking(pair.second.get(), true);
  const std::vector<std::byte> sent(4 << 20, std::byte{42});
  std::vector<std::byte> room(sent.size());
  std::thread receiver(
      [&] { CHECK(os::receive_full(pair.second.get(), room) == room.size()); });
  os::send_full(pair.first.get(), sent);
  receiver.join();
  CHECK(room == sent);
  std::size_t filled = 0;
  while (const auto n = os::try_send(pair.first.get(), sent)) filled += *n;
  CHECK(filled > 0);
}
