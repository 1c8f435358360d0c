#include <brigade/wire/channel.hpp>

#include <cstring>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include <brigade/os/socket.hpp>

using namespace brigade;
using wire::channel;

namespace {

struct two_ends {
  channel host;
  channel worker;
};

two_ends make_ends() {
  os::socket_pair pair = os::make_socket_pair();
  return {channel(std::move(pair.first)), channel(std::move(pair.second))};
}

std::vector<std::byte> frame_of(std::uint64_t call, std::size_t body_size) {
  std::vector<std::byte> body(body_size);
  for (std::size_t i = 0; i < body_size; ++i) body[i] = static_cast<std::byte>(i * 7 + call);
  wire::frame_header header;
  header.kind = wire::frame_kind::call;
  header.call = call;
  return wire::make_frame(header, body);
}

bool is_frame_of(const wire::arrived_frame& frame, std::uint64_t call, std::size_t body_size) {
  const auto expected = frame_of(call, body_size);
  return frame.header.call == call && frame.body.size() == body_size &&
         std::equal(frame.body.begin(), frame.body.end(), expected.begin() + wire::body_start);
}

}  // namespace

TEST_CASE("frames arrive whole and in order, also when several come at once") {
  two_ends ends = make_ends();
  for (std::uint64_t call = 1; call <= 20; ++call) ends.host.send(frame_of(call, call * 100));
  for (std::uint64_t call = 1; call <= 20; ++call) {
    const auto frame = ends.worker.receive();
    REQUIRE(frame);
    CHECK(is_frame_of(*frame, call, call * 100));
  }
}

TEST_CASE("a frame larger than the socket goes piece by piece, without waiting") {
  two_ends ends = make_ends();
  constexpr std::size_t size = 5 << 20;
  const auto sent = frame_of(3, size);
  wire::arrived_frame arrived;
  CHECK(ends.host.try_send(sent) == channel::status::blocked);
  auto sending = channel::status::blocked;
  auto receiving = channel::status::blocked;
  while (receiving != channel::status::done) {
    receiving = ends.worker.try_receive(arrived);
    if (sending == channel::status::blocked) sending = ends.host.try_send(sent);
  }
  CHECK(sending == channel::status::done);
  CHECK(is_frame_of(arrived, 3, size));
}

TEST_CASE("a large frame arrives in a reader that waits") {
  two_ends ends = make_ends();
  std::thread writer([&] { ends.host.send(frame_of(5, 3 << 20)); });
  const auto frame = ends.worker.receive();
  writer.join();
  REQUIRE(frame);
  CHECK(is_frame_of(*frame, 5, 3 << 20));
}

TEST_CASE("the end of the stream is told, after what was sent before it") {
  two_ends ends = make_ends();
  ends.host.send(frame_of(1, 10));
  ends.host.close();
  wire::arrived_frame frame;
  CHECK(ends.worker.try_receive(frame) == channel::status::done);
  CHECK(ends.worker.try_receive(frame) == channel::status::ended);
  CHECK_FALSE(ends.worker.receive());
  CHECK_THROWS_AS(ends.worker.send(frame_of(2, 10)), std::system_error);
  CHECK(ends.worker.try_send(frame_of(2, 10)) == channel::status::ended);
}

TEST_CASE("half a frame is no frame") {
  two_ends ends = make_ends();
  const auto whole = frame_of(1, 1000);
  os::send_full(ends.host.get(), std::span(whole).first(700));
  wire::arrived_frame frame;
  CHECK(ends.worker.try_receive(frame) == channel::status::blocked);
  ends.host.close();
  CHECK(ends.worker.try_receive(frame) == channel::status::ended);
}

TEST_CASE("nonsense is refused") {
  two_ends ends = make_ends();
  const std::vector<std::byte> nonsense(100, std::byte{0x5a});
  os::send_full(ends.host.get(), nonsense);
  wire::arrived_frame frame;
  CHECK_THROWS_AS((void)ends.worker.try_receive(frame), std::runtime_error);
}

TEST_CASE("a header that claims a huge body costs no memory") {
  two_ends ends = make_ends();
  wire::frame_header header;
  header.kind = wire::frame_kind::answer;
  header.body_size = std::uint64_t{1} << 50;
  std::vector<std::byte> bytes(sizeof header);
  std::memcpy(bytes.data(), &header, sizeof header);
  os::send_full(ends.host.get(), bytes);
  wire::arrived_frame frame;
  CHECK(ends.worker.try_receive(frame) == channel::status::blocked);
}
