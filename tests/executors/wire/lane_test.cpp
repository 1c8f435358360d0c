#include <brigade/wire/host_lane.hpp>
#include <brigade/wire/worker_lane.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstring>
#include <random>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include <doctest/doctest.h>
#include <unistd.h>

#include <brigade/os/futex.hpp>
#include <brigade/os/process.hpp>

#include "lane_ends.hpp"

using namespace lane_ends;
using standing = wire::host_lane::standing;

namespace {

std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Answers each call with its own bytes, reversed, until the lane is closed.
void serve(worker_lane& worker) {
  worker_lane::call call;
  while (worker.take(call) == worker_lane::next::call) {
    std::string text = text_of(call.body);
    worker.begin();
    std::reverse(text.begin(), text.end());
    if (worker.answer(result(), bytes_of(text)).last) return;
  }
}

// Waits for an answer, asleep on the word of the lane.
std::string await(host_lane& host, std::uint64_t call) {
  for (;;) {
    host.tell_me(wire::host_wait::by_futex);
    if (host.look(call) != standing::answered) {
      const auto expected = static_cast<std::uint32_t>(wire::host_wait::by_futex);
      os::futex_wait(host.host_word(), expected, os::futex_scope::shared);
    }
    host.tell_me(wire::host_wait::none);
    if (host.look(call) == standing::answered) break;
  }
  const auto answer = host.read(call);
  REQUIRE(answer);
  std::string text = text_of(answer->body);
  host.let_go(*answer);
  return text;
}

}  // namespace

TEST_CASE("a call goes and its answer comes, beside the slot and in the areas") {
  both_ends ends;
  std::thread worker([&] { serve(ends.worker); });
  for (const std::size_t size : {0, 1, 200, 208, 209, 5000, 1 << 20, 4 << 20}) {
    std::string text(size, 'a');
    if (size != 0) text.front() = 'b';
    const auto call = send(ends.host, text);
    REQUIRE(call);
    std::reverse(text.begin(), text.end());
    CHECK((await(ends.host, *call) == text));
  }
  ends.host.close();
  worker.join();
}

TEST_CASE("what does not fit into the area is to be sent as a message, when that is wanted") {
  both_ends ends;
  const std::string large(wire::area_bytes + 1, 'x');
  CHECK_FALSE(ends.host.write({}, bytes_of(large), std::nullopt, false));
  const auto written = ends.host.write({}, bytes_of(large), std::nullopt, true);
  REQUIRE(written);
  CHECK(written->place == wire::body_place::message);
  ends.host.publish(written->call);
  worker_lane::call call;
  REQUIRE(ends.worker.take(call) == worker_lane::next::call);
  CHECK(call.message.place == wire::body_place::message);
  CHECK(ends.worker.answer(result(), bytes_of(large)).sends_body);
  const auto answer = ends.host.read(written->call);
  REQUIRE(answer);
  CHECK(answer->message.place == wire::body_place::message);
}

TEST_CASE("each number is used once, and a full ring takes no more") {
  both_ends ends;
  std::uint64_t first = 0;
  for (std::size_t i = 0; i < wire::lane_slots; ++i) {
    const auto oldest = first == 0 ? std::nullopt : std::optional(first);
    const auto call = send(ends.host, std::to_string(i), oldest);
    REQUIRE(call);
    if (first == 0) first = *call;
    CHECK(*call == first + i);
  }
  CHECK_FALSE(send(ends.host, "one too many", first));
  CHECK(send(ends.host, "again", first + 1));
}

TEST_CASE("a slot goes its way forward only") {
  both_ends ends;
  const auto call = send(ends.host, "x");
  REQUIRE(call);
  CHECK(ends.host.look(*call) == standing::waiting);
  CHECK_FALSE(ends.host.condemn(*call));
  worker_lane::call taken;
  REQUIRE(ends.worker.take(taken) == worker_lane::next::call);
  CHECK(taken.number == *call);
  CHECK(ends.host.look(*call) == standing::taken);
  CHECK_FALSE(ends.host.take_back(*call));
  ends.worker.begin();
  CHECK(ends.host.look(*call) == standing::running);
  const auto told = ends.worker.answer(result(), {});
  CHECK_FALSE(told.last);
  CHECK_FALSE(told.wants_message);
  CHECK(ends.host.look(*call) == standing::answered);
  CHECK_FALSE(ends.host.condemn(*call));
  CHECK_FALSE(ends.host.take_back(*call));
}

TEST_CASE("what was taken back is never run, also when its slot is used again") {
  both_ends ends;
  std::vector<std::uint64_t> calls;
  for (int i = 0; i < 10; ++i)
    calls.push_back(*send(ends.host, std::to_string(i), 1));
  for (int i = 0; i < 9; ++i)
    CHECK(ends.host.take_back(calls[static_cast<std::size_t>(i)]));
  CHECK_FALSE(ends.host.take_back(calls[0]));
  // More rounds than the ring is long, with one call that stays in it.
  std::uint64_t oldest = calls.back();
  for (int i = 0; i < 2000; ++i) {
    const auto call = send(ends.host, "never", oldest);
    if (!call) {
      worker_lane::call taken;
      REQUIRE(ends.worker.take(taken) == worker_lane::next::call);
      CHECK(taken.number == oldest);
      CHECK((text_of(taken.body) == "9" || text_of(taken.body) == "stays"));
      static_cast<void>(ends.worker.answer(result(), {}));
      const auto next = send(ends.host, "stays");
      REQUIRE(next);
      oldest = *next;
      continue;
    }
    CHECK(ends.host.take_back(*call));
  }
  worker_lane::call taken;
  REQUIRE(ends.worker.take(taken) == worker_lane::next::call);
  CHECK(taken.number == oldest);
  ends.host.close();
  static_cast<void>(ends.worker.answer(result(), {}));
  CHECK(ends.worker.take(taken) == worker_lane::next::closed);
}

TEST_CASE("a condemned call is the last that its worker takes") {
  both_ends ends;
  const auto first = send(ends.host, "1");
  const auto second = send(ends.host, "2", first);
  worker_lane::call taken;
  REQUIRE(ends.worker.take(taken) == worker_lane::next::call);
  CHECK(ends.host.condemn(*first));
  ends.worker.begin();
  CHECK(ends.host.look(*first) == standing::running);
  CHECK(ends.worker.answer(result(), {}).last);
  CHECK(ends.host.look(*first) == standing::answered);
  CHECK(ends.host.take_back(*second));
}

TEST_CASE("one of two that want the same call gets it") {
  both_ends ends;
  std::atomic<int> ran{0};
  std::thread worker([&] {
    worker_lane::call call;
    while (ends.worker.take(call) == worker_lane::next::call) {
      ran.fetch_add(1);
      static_cast<void>(ends.worker.answer(result(), {}));
    }
  });
  int back = 0;
  constexpr int rounds = 20000;
  for (int i = 0; i < rounds; ++i) {
    const auto call = send(ends.host, "x");
    REQUIRE(call);
    if (i % 3 == 0) std::this_thread::yield();
    if (ends.host.take_back(*call)) {
      ++back;
    } else {
      static_cast<void>(await(ends.host, *call));
    }
  }
  ends.host.close();
  worker.join();
  CHECK(ran.load() + back == rounds);
}

TEST_CASE("nobody sleeps through a call or an answer, between processes") {
  os::unique_fd fd;
  host_lane host = host_lane::make(fd);
  os::child_process child(os::fork_child());
  if (child.pid() == 0) {
    worker_lane worker(fd.get());
    serve(worker);
    std::_Exit(0);
  }
  std::mt19937 random(3);
  for (int i = 0; i < 3000; ++i) {
    std::string text = std::to_string(i) + std::string(random() % 600, '.');
    const auto call = send(host, text);
    REQUIRE(call);
    std::reverse(text.begin(), text.end());
    CHECK(await(host, *call) == text);
  }
  host.close();
  CHECK(child.wait() == os::process_end{0, std::nullopt});
}

TEST_CASE("a request to stop wakes who listens and names the call") {
  both_ends ends;
  const std::uint32_t heard = ends.worker.rings();
  bool asked = false;
  std::thread listener([&] {
    while (ends.worker.rings() == heard)
      ends.worker.wait_for_ring(heard);
    asked = ends.worker.stop_requested(9);
  });
  ends.host.request_stop(9);
  listener.join();
  CHECK(asked);
  CHECK_FALSE(ends.worker.stop_requested(10));
}

TEST_CASE("a descriptor that is no lane is refused") {
  const os::unique_fd zero = os::open_file("/dev/zero", 2);
  CHECK_THROWS_AS(worker_lane(zero.get()), std::system_error);
  const os::unique_fd small = os::make_sealed_memfd("small", 4096);
  CHECK_THROWS_AS(worker_lane(small.get()), std::system_error);
  const os::unique_fd empty = os::make_sealed_memfd("empty", wire::lane_bytes);
  CHECK_THROWS_AS(worker_lane(empty.get()), std::system_error);
}

TEST_CASE("whatever is written over the lane, both ends stay inside of it and come to an end") {
  std::mt19937 random(5);
  int nonsense = 0;
  int refused = 0;
  for (int round = 0; round < 3000; ++round) {
    both_ends ends;
    os::mapping scribble(ends.fd.get(), wire::lane_bytes);
    if (round % 4 == 0) os::grow_memfd(ends.blocks.get(), std::size_t{64} << 10);
    std::vector<std::uint64_t> calls;
    for (int i = 0; i < 5; ++i) {
      calls.push_back(*send(ends.host, std::string(random() % 400, 'x'), 1));
    }
    worker_lane::call taken;
    for (int i = 0; i < 2; ++i) {
      REQUIRE(ends.worker.take(taken) == worker_lane::next::call);
      if (i == 0) static_cast<void>(ends.worker.answer(result(), taken.body));
    }
    // Words, sizes and positions: the header and the first slots, in patches or as a whole.
    const std::size_t from = random() % 4 == 0 ? 0 : wire::slots_at;
    const std::size_t patch = round % 2 == 0 ? 6 * wire::slot_bytes : 1 + random() % 16;
    const std::size_t start = from + (round % 2 == 0 ? 0 : random() % (6 * wire::slot_bytes));
    for (std::size_t i = 0; i < patch; ++i) {
      scribble.data()[start + i] = static_cast<std::byte>(random() % 4 == 0 ? random() : 0xff);
    }
    // The host looks at everything it could look at.
    for (const std::uint64_t call : calls) {
      const auto seen = ends.host.look(call);
      if (seen == standing::nonsense) ++nonsense;
      if (const auto answer = ends.host.read(call)) {
        unsigned sum = 0;
        for (const std::byte each : answer->body)
          sum += std::to_integer<unsigned>(each);
        CHECK(sum < 0xffffffff);
        ends.host.let_go(*answer);
      } else {
        ++refused;
      }
      static_cast<void>(ends.host.take_back(call));
      static_cast<void>(ends.host.condemn(call));
    }
    ends.host.wake_worker();
    // The worker either goes on or finds that all is lost; it does not sleep once it was closed.
    ends.host.close();
    static_cast<void>(ends.worker.answer(result(), bytes_of(std::string(300, 'y'))));
    for (int i = 0; i < 1000 && ends.worker.take(taken) == worker_lane::next::call; ++i) {
      static_cast<void>(ends.worker.answer(result(), taken.body));
    }
  }
  CHECK(nonsense > 100);
  CHECK(refused > 100);
}
