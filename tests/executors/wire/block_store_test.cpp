#include <brigade/wire/block_store.hpp>

#include <algorithm>
#include <cstring>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include <brigade/os/process.hpp>

using namespace brigade;
using wire::block;
using wire::block_reader;
using wire::block_store;

namespace {

constexpr std::size_t mib = std::size_t{1} << 20;

void fill(const block& one, char with) { std::memset(one.memory.data(), with, one.memory.size()); }

bool holds(std::span<const std::byte> bytes, char what) {
  return std::ranges::all_of(bytes,
                             [&](std::byte each) { return static_cast<char>(each) == what; });
}

os::unique_fd file_of(block_store& store) { return os::duplicate(store.file()); }

}  // namespace

TEST_CASE("what is written into a block is read where it lies, also in another process") {
  block_store store;
  const os::unique_fd file = file_of(store);
  block first = store.take(3 * mib);
  block second = store.take(100);
  REQUIRE(first);
  REQUIRE(second);
  CHECK(first.memory.size() >= 3 * mib);
  fill(first, 'a');
  fill(second, 'b');
  os::child_process child(os::fork_child());
  if (child.pid() == 0) {
    block_reader reader(os::duplicate(file.get()));
    const auto one = reader.read(first.at, 3 * mib);
    const auto two = reader.read(second.at, 100);
    std::_Exit(one && two && holds(one->bytes, 'a') && holds(two->bytes, 'b') ? 0 : 1);
  }
  CHECK(child.wait() == os::process_end{0, std::nullopt});
  store.give_back(std::move(first));
  store.give_back(std::move(second));
}

TEST_CASE("a block that was given back serves the next one that fits, and no much smaller one") {
  block_store store;
  block large = store.take(40 * mib);
  REQUIRE(large);
  const std::uint64_t at = large.at;
  store.give_back(std::move(large));
  CHECK(store.has_free());
  block tiny = store.take(4096);
  REQUIRE(tiny);
  CHECK(tiny.at != at);
  large = store.take(30 * mib);
  CHECK(large.at == at);
  CHECK_FALSE(store.has_free());
  store.give_back(std::move(large));
  store.give_back(std::move(tiny));
}

TEST_CASE("what has not been used for a while goes back to the system, what is in use stays") {
  block_store store;
  block used = store.take(2 * mib);
  block freed = store.take(2 * mib);
  REQUIRE(used);
  REQUIRE(freed);
  fill(used, 'u');
  fill(freed, 'f');
  block_reader reader(file_of(store));
  const auto seen = reader.read(freed.at, 2 * mib);
  REQUIRE(seen);
  const auto now = os::deadline::clock::now();
  store.give_back(std::move(freed));
  store.trim(now);
  CHECK(store.has_free());
  store.trim(os::deadline::clock::now() + std::chrono::seconds(1));
  CHECK_FALSE(store.has_free());
  CHECK(store.held_bytes() == used.memory.size());
  CHECK(holds(seen->bytes, '\0'));  // its pages have gone, the mapping has not
  CHECK(holds(used.memory.bytes(), 'u'));
  block again = store.take(2 * mib);
  CHECK(again);  // in the hole, or behind
  store.give_back(std::move(again));
  store.give_back(std::move(used));
}

TEST_CASE("only so much lies idle, and only so many blocks are in use") {
  block_store store;
  std::vector<block> all;
  for (int i = 0; i < 8; ++i)
    all.push_back(store.take(64 * mib));  // not touched: they cost nothing
  for (block& each : all) {
    REQUIRE(each);
    store.give_back(std::move(each));
  }
  CHECK(store.held_bytes() < 256 * mib);
  all.clear();
  for (block more = store.take(1); more; more = store.take(1))
    all.push_back(std::move(more));
  CHECK(all.size() > 8);
  CHECK(all.size() < 1000);
  store.give_back(std::move(all.back()));
  all.pop_back();
  all.push_back(store.take(9 * mib));  // one that is too small makes room
  CHECK(all.back());
  for (block& each : all)
    store.give_back(std::move(each));
}

TEST_CASE("a store that was closed has blocks, and keeps none") {
  block_store store;
  block used = store.take(2 * mib);
  block freed = store.take(mib);
  REQUIRE(used);
  store.give_back(std::move(freed));
  store.close();
  CHECK_FALSE(store.has_free());
  CHECK(store.held_bytes() == used.memory.size());
  block late = store.take(mib);
  CHECK(late);
  store.give_back(std::move(late));
  store.give_back(std::move(used));
  CHECK(store.held_bytes() == 0);
}

TEST_CASE("a block is given back once, however often that is said") {
  block_store store;
  block one = store.take(mib);
  REQUIRE(one);
  const std::size_t held = store.held_bytes();
  store.give_back(std::move(one));
  store.give_back(std::move(one));
  store.give_back({});
  CHECK(store.held_bytes() == held);
  one = store.take(mib);
  const block two = store.take(mib);
  REQUIRE(one);
  REQUIRE(two);
  CHECK(one.at != two.at);
}

TEST_CASE("a reader refuses what is not inside of the file") {
  block_store store;
  const os::unique_fd file = file_of(store);
  block_reader reader(os::duplicate(file.get()));
  CHECK_FALSE(reader.read(0, 1));
  block one = store.take(mib);
  REQUIRE(one);
  const std::size_t end = os::growing_memfd_bytes(file.get());
  CHECK(reader.read(0, end));
  CHECK(reader.read(end, 0));
  CHECK_FALSE(reader.read(0, end + 1));
  CHECK_FALSE(reader.read(end, 1));
  CHECK_FALSE(reader.read(end + 1, 0));
  CHECK_FALSE(reader.read(static_cast<std::uint64_t>(-1), 2));
  CHECK_FALSE(reader.read(2, static_cast<std::uint64_t>(-1)));
  CHECK_FALSE(block_reader().read(0, 0));
  store.give_back(std::move(one));
}

TEST_CASE("a process that was forked has no blocks, and does no harm to those that there are") {
  block_store store;
  block used = store.take(2 * mib);
  block freed = store.take(2 * mib);
  REQUIRE(used);
  REQUIRE(freed);
  fill(used, 'u');
  fill(freed, 'f');
  const std::uint64_t at = freed.at;
  const std::size_t held = store.held_bytes();
  store.give_back(std::move(freed));
  os::child_process child(os::fork_child());
  if (child.pid() == 0) {
    const bool none = !store.take(1 * mib);
    store.give_back(std::move(used));
    store.trim(os::deadline::max());
    std::_Exit(none ? 0 : 1);
  }
  CHECK(child.wait() == os::process_end{0, std::nullopt});
  CHECK(store.held_bytes() == held);
  freed = store.take(2 * mib);
  CHECK(freed.at == at);
  CHECK(holds(freed.memory.bytes(), 'f'));
  CHECK(holds(used.memory.bytes(), 'u'));
  store.give_back(std::move(freed));
  store.give_back(std::move(used));
}

TEST_CASE("a file that somebody has put in the place of the store's is left alone") {
  os::unique_fd file = os::make_growing_memfd("test");
  const int number = file.get();
  block_store store(std::move(file));
  block_reader reader(os::duplicate(number));
  const os::unique_fd other = os::make_memfd("other");
  os::write_full(other.get(), std::vector<std::byte>(100));
  REQUIRE(::dup2(other.get(), number) == number);
  CHECK_FALSE(store.take(mib));
  CHECK(::lseek(other.get(), 0, SEEK_END) == 100);
  CHECK_FALSE(block_store(os::unique_fd()).take(1));
}
