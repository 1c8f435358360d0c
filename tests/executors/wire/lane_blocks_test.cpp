#include <brigade/wire/block_store.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

#include <doctest/doctest.h>
#include <unistd.h>

#include <brigade/codec/writer.hpp>
#include <brigade/os/memfd.hpp>

#include "lane_ends.hpp"

using namespace lane_ends;

namespace {

// Takes the next call and answers it with a body that is built in the lane's memory.
void answer_with(worker_lane& worker, std::size_t bytes) {
  worker_lane::call taken;
  REQUIRE(worker.take(taken) == worker_lane::next::call);
  codec::writer out(worker);
  const std::vector<std::byte> part(bytes / 2, std::byte{7});
  for (int i = 0; i < 2; ++i)
    out.put_raw(part.data(), part.size());
  CHECK_FALSE(worker.answer(result(), out.bytes()).lost);
}

}  // namespace

TEST_CASE("large answers lie in blocks, which serve again when they have been read") {
  both_ends ends;
  std::size_t first_size = 0;
  for (int round = 0; round < 20; ++round) {
    const auto call = *send(ends.host, "x");
    answer_with(ends.worker, 6 * mib);
    const auto answer = ends.host.read(call);
    REQUIRE(answer);
    CHECK(answer->message.place == wire::body_place::block);
    CHECK(answer->body.size() == 6 * mib);
    CHECK(std::ranges::all_of(answer->body, [](std::byte each) { return each == std::byte{7}; }));
    ends.host.let_go(*answer);
    const std::size_t size = os::growing_memfd_bytes(ends.blocks.get());
    if (round == 2) first_size = size;
    if (round > 2) CHECK(size == first_size);
  }
}

TEST_CASE("an answer in a block that is too large or not in its file is refused") {
  both_ends ends;
  const auto call = *send(ends.host, "x");
  answer_with(ends.worker, 6 * mib);
  const os::mapping scribble(ends.fd.get(), wire::lane_bytes);
  std::byte* const at =
      scribble.data() + wire::slots_at + call * wire::slot_bytes + offsetof(wire::slot, message);
  wire::lane_message message;
  std::memcpy(&message, at, sizeof message);
  REQUIRE(message.place == wire::body_place::block);
  const auto read_with = [&](std::uint64_t position, std::uint64_t size) {
    message.at = position;
    message.size = size;
    std::memcpy(at, &message, sizeof message);
    return ends.host.read(call).has_value();
  };
  const std::size_t end = os::growing_memfd_bytes(ends.blocks.get());
  CHECK(read_with(0, end));
  CHECK_FALSE(read_with(1, end));
  CHECK_FALSE(read_with(end, 1));
  CHECK_FALSE(read_with(static_cast<std::uint64_t>(-1), 2));
  CHECK_FALSE(read_with(2, static_cast<std::uint64_t>(-1)));
  // A file with holes may be as large as the worker likes.
  os::grow_memfd(ends.blocks.get(), std::size_t{1} << 40);
  CHECK(read_with(std::uint64_t{1} << 39, 16 * mib));
  CHECK_FALSE(read_with(std::uint64_t{1} << 39, 16 * mib + 1));
  ends.host.let_go_of_blocks();
  CHECK_FALSE(read_with(0, 1));
}

TEST_CASE("a worker that has no more file of blocks is lost, instead of failing a call") {
  os::unique_fd fd;
  os::unique_fd answers;
  host_lane host = host_lane::make(fd, answers, mib);
  wire::block_store store;
  wire::block block = store.take(mib);
  REQUIRE(block);
  os::unique_fd file = os::duplicate(store.file());
  const int number = file.get();
  worker_lane worker(fd.get(), std::move(file));
  wire::lane_message message;
  message.place = wire::body_place::block;
  message.at = block.at;
  const os::unique_fd other = os::make_sealed_memfd("other", 4096);
  REQUIRE(::dup2(other.get(), number) == number);
  const auto written = host.write(message, block.memory.bytes(), std::nullopt, false);
  REQUIRE(written);
  host.publish(written->call);
  worker_lane::call taken;
  CHECK(worker.take(taken) == worker_lane::next::lost);
  store.give_back(std::move(block));
}
