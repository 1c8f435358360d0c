#include <brigade/wire/frame.hpp>

#include <cstring>

#include <doctest/doctest.h>

#include <brigade/codec/codec.hpp>

using namespace brigade;

namespace {

wire::frame_header header_of(const std::vector<std::byte>& frame) {
  wire::frame_header header;
  REQUIRE(frame.size() >= sizeof header);
  std::memcpy(&header, frame.data(), sizeof header);
  return header;
}

}  // namespace

TEST_CASE("a frame that was written behind room for its header is sealed in place") {
  codec::writer out;
  wire::leave_room_for_header(out);
  codec::encode(out, std::string("soup"));
  std::vector<std::byte> frame = out.take();
  wire::frame_header header;
  header.kind = wire::frame_kind::call;
  header.call = 7;
  wire::seal(frame, header);
  CHECK(header_of(frame).kind == wire::frame_kind::call);
  CHECK(header_of(frame).call == 7);
  CHECK(header_of(frame).body_size == frame.size() - wire::body_start);
  codec::reader in(std::span<const std::byte>(frame).subspan(wire::body_start));
  CHECK(codec::decode<std::string>(in) == "soup");
}

TEST_CASE("a frame can be made with and without a body") {
  wire::frame_header header;
  header.kind = wire::frame_kind::ready;
  CHECK(wire::make_frame(header).size() == wire::body_start);
  const std::vector<std::byte> body(3, std::byte{9});
  const auto frame = wire::make_frame(header, body);
  CHECK(header_of(frame).body_size == 3);
  CHECK(frame.back() == std::byte{9});
}
