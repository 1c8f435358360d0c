// The memory that host and workers share: what is in it in advance, what happens to it when a
// worker dies or writes over it, and that nobody waits behind somebody else's long task.
#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <random>
#include <sstream>
#include <thread>

#include <unistd.h>

#include "executors/processes/pool_support.hpp"

using namespace pool_test;

namespace {

struct shared_range {
  std::byte* begin;
  std::size_t bytes;
};

// Every mapping of shared memory in this process.
std::vector<shared_range> shared_mappings() {
  std::vector<shared_range> found;
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    if (line.find("memfd:brigade-lane") == line.npos) continue;
    std::uintptr_t first = 0;
    std::uintptr_t last = 0;
    char dash = 0;
    std::istringstream(line) >> std::hex >> first >> dash >> last;
    found.push_back({reinterpret_cast<std::byte*>(first), last - first});
  }
  return found;
}

int scribble(unsigned seed, bool everywhere) {
  std::mt19937 random(seed);
  for (const shared_range& each : shared_mappings()) {
    const std::size_t bytes = everywhere ? each.bytes : 70000;
    for (std::size_t i = 0; i < bytes; ++i) {
      each.begin[i] = static_cast<std::byte>(seed % 3 == 0 ? 0xff : random());
    }
  }
  return 1;
}

void hold(std::string at) {
  give_sign(at);
  while (!std::filesystem::exists(at + ".go"))
    ::usleep(500);
}

std::string reversed(std::string text) {
  std::reverse(text.begin(), text.end());
  return text;
}

}  // namespace

TEST_CASE("a task that writes over the shared memory fails its own worker's tasks, and no other") {
  const signs sign;
  runtime rt(pool_of(2));
  auto sibling = rt.submit(processes, hold, sign("sibling"));
  sign.await("sibling");
  for (unsigned seed = 0; seed < 12; ++seed) {
    auto culprit = rt.submit({.on = processes, .name = "culprit"}, scribble, seed, seed == 0);
    try {
      culprit.get();
      FAIL("it came back");
    } catch (const worker_lost& lost) {
      CHECK(contains(lost.what(), "culprit"));
    }
    CHECK(rt.submit(processes, square, 5).get() == 25);
  }
  give_sign(sign("sibling.go"));
  sibling.get();
  check_usable(rt);
}

TEST_CASE("a task that writes over the shared memory and never ends is ended like any other") {
  runtime rt(pool_of(1));
  const auto scribbles = [](std::string at) {
    scribble(1, false);
    spin(at);
  };
  const signs sign;
  auto culprit = rt.submit(processes, scribbles, sign("a"));
  sign.await("a");
  CHECK(culprit.cancel());
  CHECK_THROWS_AS(culprit.get(), task_cancelled);
  check_usable(rt);
}

TEST_CASE("what waits behind a long task is run by others") {
  const signs sign;
  runtime rt(pool_of(2));
  check_usable(rt);
  std::vector<future<int>> before;
  for (int i = 0; i < 200; ++i)
    before.push_back(rt.submit(processes, square, i));
  auto first = rt.submit(processes, hold, sign("a"));
  std::vector<future<int>> after;
  for (int i = 0; i < 200; ++i)
    after.push_back(rt.submit(processes, square, i));
  for (int i = 0; i < 200; ++i)
    CHECK(before[static_cast<std::size_t>(i)].get() == i * i);
  for (int i = 0; i < 200; ++i)
    CHECK(after[static_cast<std::size_t>(i)].get() == i * i);
  CHECK_FALSE(first.ready());
  give_sign(sign("a.go"));
  first.get();
}

TEST_CASE("a task that a worker has in advance is still queued: cancelled, it never runs") {
  const signs sign;
  runtime rt(pool_of(1));
  for (int round = 0; round < 30; ++round) {
    const std::string name = std::to_string(round);
    auto running = rt.submit(processes, hold, sign(name));
    sign.await(name);
    std::vector<future<void>> queued;
    for (int i = 0; i < 5; ++i) {
      queued.push_back(rt.submit(processes, give_sign, sign(name + ".ran" + std::to_string(i))));
    }
    CHECK(rt.stats(processes).queued == 5);
    CHECK(queued[0].cancel());
    CHECK(queued[2].cancel());
    CHECK(rt.stats(processes).queued == 3);
    give_sign(sign(name + ".go"));
    running.get();
    for (std::size_t i = 0; i < 5; ++i) {
      if (i == 0 || i == 2) {
        CHECK_THROWS_AS(queued[i].get(), task_cancelled);
      } else {
        queued[i].get();
      }
      CHECK(std::filesystem::exists(sign(name + ".ran" + std::to_string(i))) != (i == 0 || i == 2));
    }
  }
}

TEST_CASE("cancelling while workers take what they have never runs or loses a task twice") {
  runtime rt(pool_of(2));
  std::mt19937 random(9);
  for (int round = 0; round < 40; ++round) {
    std::vector<future<int>> tasks;
    for (int i = 0; i < 100; ++i)
      tasks.push_back(rt.submit(processes, square, i));
    for (int i = 0; i < 20; ++i)
      tasks[random() % 100].cancel();
    for (int i = 0; i < 100; ++i) {
      try {
        const int got = tasks[static_cast<std::size_t>(i)].get();
        CHECK(got == i * i);
      } catch (const task_cancelled&) {
      }
    }
  }
  const executor_stats stats = rt.stats(processes);
  CHECK(stats.submitted == 4000);
  CHECK(testing::eventually([&] {
    const executor_stats now = rt.stats(processes);
    return now.finished + now.cancelled == 4000 && now.queued == 0;
  }));
}

TEST_CASE("values of every size come back whole, in the slot, the area and as a frame") {
  runtime rt(pool_of(2));
  std::vector<future<std::string>> tasks;
  std::vector<std::string> sent;
  std::mt19937 random(2);
  for (int i = 0; i < 120; ++i) {
    const std::size_t size = std::size_t{1} << (random() % 21);
    std::string text(size, static_cast<char>('a' + i % 26));
    text.front() = '!';
    sent.push_back(text);
    tasks.push_back(rt.submit(processes, reversed, std::move(text)));
  }
  sent.push_back("!" + std::string(9 << 20, 'z'));
  tasks.push_back(rt.submit(processes, reversed, sent.back()));
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    std::reverse(sent[i].begin(), sent[i].end());
    CHECK((tasks[i].get() == sent[i]));
  }
}

TEST_CASE("several threads wait for their own answers at once") {
  runtime rt(pool_of(2));
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 300; ++i) {
        if (rt.submit(processes, square, i + t).get() != (i + t) * (i + t)) ++wrong;
      }
    });
  }
  for (std::thread& each : threads)
    each.join();
  CHECK(wrong.load() == 0);
}

TEST_CASE("the runtime may end while another thread still waits") {
  for (int i = 0; i < 20; ++i) {
    std::optional<runtime> rt(pool_of(1));
    auto task = rt->submit(processes, square, i);
    std::thread waiter([&] { CHECK(task.get() == i * i); });
    rt.reset();
    waiter.join();
  }
}

TEST_CASE("waiting for a while ends in time, and the answer comes all the same") {
  const signs sign;
  runtime rt(pool_of(1));
  auto task = rt.submit(processes, hold, sign("a"));
  sign.await("a");
  CHECK(task.wait_for(5ms) == std::future_status::timeout);
  give_sign(sign("a.go"));
  CHECK(task.wait_for(60s) == std::future_status::ready);
}

// Quick by default; BRIGADE_KILLS=1000 for the long version.
TEST_CASE("random kills under load lose exactly the tasks that ran") {
  const char* const wanted = std::getenv("BRIGADE_KILLS");
  const int kills = wanted != nullptr ? std::atoi(wanted) : 40;
  const signs sign;
  runtime rt(pool_of(2));
  check_usable(rt);
  std::mt19937 random(7);
  // Each task says that it has begun and that it has ended, by one byte in a file that is shared.
  const std::string log = sign("log");
  const int tasks = kills * 20;
  std::ofstream(log) << std::string(static_cast<std::size_t>(tasks) * 2, '.');
  const auto noted = [](std::string at, int i) {
    std::fstream file(at, std::ios::in | std::ios::out);
    file.seekp(2 * i);
    file.put('b').flush();
    ::usleep(static_cast<unsigned>(i % 7) * 50);
    file.seekp(2 * i + 1);
    file.put('e').flush();
    return i;
  };
  std::vector<future<int>> all;
  int killed = 0;
  for (int i = 0; i < tasks; ++i) {
    all.push_back(rt.submit(processes, noted, log, i));
    if (i % 20 != 10) continue;
    // The time of day under load: whatever the worker does just now.
    if (random() % 2 == 0) all[random() % all.size()].wait_for(1ms);
    const auto workers = rt.workers();
    if (workers.empty()) continue;
    if (::kill(workers[random() % workers.size()].pid, SIGKILL) == 0) ++killed;
  }
  int lost = 0;
  for (int i = 0; i < tasks; ++i) {
    bool failed = false;
    try {
      const int got = all[static_cast<std::size_t>(i)].get();
      CHECK(got == i);
    } catch (const worker_lost& failure) {
      CHECK(failure.signal() == SIGKILL);
      CHECK(failure.started());
      failed = true;
      ++lost;
    }
    std::ifstream file(log);
    file.seekg(2 * i);
    const bool began = file.get() == 'b';
    const bool ended = file.get() == 'e';
    if (!failed) CHECK((began && ended));
  }
  CHECK(lost <= killed);
  check_usable(rt);
  MESSAGE("killed " << killed << ", lost " << lost);
}
