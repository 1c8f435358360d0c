#include <brigade/threads/inbox.hpp>

#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <thread>
#include <vector>

using brigade::priority;
using brigade::detail::inbox;
using brigade::detail::work_item;

namespace {

work_item job(priority level) {
  work_item item;
  item.level = level;
  item.is_job = true;
  return item;
}

work_item resumption(priority level) {
  work_item item;
  item.level = level;
  return item;
}

}  // namespace

TEST_CASE("higher levels come first, and within a level the first") {
  inbox box;
  work_item low = job(priority::low), first = job(priority::normal),
            second = job(priority::normal), high = job(priority::high);
  for (work_item* const each : {&low, &first, &second, &high}) box.push(*each);
  CHECK(box.has_urgent());
  CHECK(box.take() == &high);
  CHECK_FALSE(box.has_urgent());
  CHECK(box.take(priority::high) == nullptr);
  CHECK(box.take(priority::normal) == &first);
  CHECK(box.take(priority::normal) == &second);
  CHECK(box.take(priority::normal) == nullptr);
  CHECK_FALSE(box.empty());
  CHECK(box.take() == &low);
  CHECK(box.empty());
  CHECK(box.take() == nullptr);
}

TEST_CASE("jobs and resumptions of one level take turns") {
  inbox box;
  std::vector<work_item> jobs(3, job(priority::normal));
  std::vector<work_item> resumptions(3, resumption(priority::normal));
  for (work_item& each : jobs) box.push(each);
  for (work_item& each : resumptions) box.push(each);
  int jobs_first = 0;
  for (int taken = 0; taken < 4; ++taken) jobs_first += box.take()->is_job ? 1 : 0;
  CHECK(jobs_first == 2);
}

TEST_CASE("one kind can be taken past the other") {
  inbox box;
  work_item plain = job(priority::high), due = resumption(priority::low);
  box.push(plain);
  box.push(due);
  CHECK(box.take_resumption() == &due);
  CHECK(box.take_resumption() == nullptr);
  CHECK(box.take_job() == &plain);
  CHECK(box.take_job() == nullptr);
}

TEST_CASE("a share of the jobs comes in their order, and not before anything that is due first") {
  inbox box;
  std::vector<work_item> jobs(100, job(priority::normal));
  for (work_item& each : jobs) box.push(each);
  inbox::several share;
  REQUIRE(box.take_share(share, 2) == inbox::most_at_once);
  for (std::size_t at = 0; at < inbox::most_at_once; ++at) CHECK(share[at] == &jobs[at]);
  work_item due = resumption(priority::normal), urgent = job(priority::high);
  box.push(due);
  CHECK(box.take_share(share, 2) == 0);
  CHECK(box.take_resumption() == &due);
  box.push(urgent);
  CHECK(box.take_share(share, 2) == 0);
  CHECK(box.take() == &urgent);
  std::size_t left = jobs.size() - inbox::most_at_once;
  while (left > 0) {
    const std::size_t count = box.take_share(share, 2);
    REQUIRE(count > 0);
    CHECK(count <= left / 4 + 1);  // the others get some too
    CHECK(share[0] == &jobs[jobs.size() - left]);
    left -= count;
  }
  CHECK(box.empty());
}

TEST_CASE("whoever pushes and takes at once, nothing gets lost, doubled or out of order") {
  constexpr std::size_t pushers = 3, takers = 2, each = 20000;
  inbox box;
  struct numbered : work_item {
    std::size_t pusher = 0, number = 0;
  };
  std::vector<numbered> items(pushers * each);
  for (std::size_t index = 0; index < items.size(); ++index) {
    items[index].is_job = index % 50 != 0;  // some are resumptions
    items[index].pusher = index / each;
    items[index].number = index % each;
  }
  std::atomic<std::size_t> taken{0}, disorder{0};
  std::vector<std::atomic<unsigned>> seen(items.size());
  std::vector<std::thread> threads;
  for (std::size_t pusher = 0; pusher < pushers; ++pusher) {
    threads.emplace_back([&, pusher] {
      for (std::size_t number = 0; number < each; ++number)
        box.push(items[pusher * each + number]);
    });
  }
  for (std::size_t taker = 0; taker < takers; ++taker) {
    threads.emplace_back([&] {
      std::array<std::array<std::size_t, 2>, pushers> next{};  // by pusher, of jobs and resumptions
      const auto note = [&](work_item* item) {
        const auto& one = static_cast<const numbered&>(*item);
        std::size_t& expected = next[one.pusher][one.is_job ? 1 : 0];
        if (one.number < expected) ++disorder;
        expected = one.number + 1;
        ++seen[one.pusher * each + one.number];
        ++taken;
      };
      while (taken.load() < pushers * each) {
        inbox::several share;
        const std::size_t count = box.take_share(share, takers);
        for (std::size_t at = 0; at < count; ++at) note(share[at]);
        if (count > 0) continue;
        if (work_item* const item = box.take()) note(item);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(disorder.load() == 0);
  std::size_t once = 0;
  for (const auto& times : seen) once += times.load() == 1 ? 1 : 0;
  CHECK(once == items.size());
  CHECK(box.empty());
}
