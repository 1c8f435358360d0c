// The thread pool against other pools: T1 grain, T2 and T4 posts, T3 futures, T5 tasks that spawn
// tasks, T6 one at a time, M1 map, O1 what observers cost, and whether a task costs the same among
// many as among few.
#include "bench.hpp"
#include "flat.hpp"
#include "pools.hpp"
#include "work_load.hpp"

#include <algorithm>
#include <chrono>
#include <future>
#include <memory>
#include <numeric>
#include <string>

#if BENCH_TBB
#include <oneapi/tbb/parallel_for.h>
#endif

namespace {

using namespace bench;

// --- T1: grain -----------------------------------------------------------------------------------

template <class Pool>
sample speedup(std::size_t tasks, std::uint64_t steps) {
  slots out;
  const stopwatch serial;
  for (std::size_t index = 0; index < tasks; ++index) {
    spin(steps);
    touch(out.load(index));
  }
  const double alone = serial.seconds();
  Pool pool;
  const stopwatch watch;
  for (std::size_t index = 0; index < tasks; ++index) {
    pool.post([steps, with = out.load(index)] {
      spin(steps);
      touch(with);
    });
  }
  pool.drain();
  sample result = watch.rate(tasks);
  result.value = alone / watch.seconds();
  return result;
}

// --- T2, T4: posts -------------------------------------------------------------------------------

template <class Pool>
sample posts(std::size_t tasks, unsigned producers) {
  slots out;
  Pool pool;
  const stopwatch watch;
  const std::size_t each = tasks / producers;
  const auto produce = [&] {
    for (std::size_t index = 0; index < each; ++index) {
      pool.post([with = out.load(index)] { touch(with); });
    }
  };
  std::vector<std::thread> threads;
  for (unsigned index = 1; index < producers; ++index)
    threads.emplace_back(produce);
  produce();
  for (std::thread& thread : threads)
    thread.join();
  pool.drain();
  return watch.millions(each * producers);
}

// --- T3: a future for each task ------------------------------------------------------------------

constexpr std::size_t window = 1024;

sample our_futures(std::size_t tasks) {
  slots out;
  brigade::runtime runtime(our_options());
  std::vector<brigade::future<std::uint64_t>> flying(window);
  std::uint64_t sum = 0;
  const stopwatch watch;
  for (std::size_t index = 0; index < tasks; ++index) {
    auto& slot = flying[index % window];
    if (slot.valid()) sum += slot.get();
    slot = runtime.submit(brigade::threads, [with = out.load(index)] {
      touch(with);
      return with.more[0];
    });
  }
  for (auto& slot : flying) {
    if (slot.valid()) sum += slot.get();
  }
  keep(sum);
  return watch.millions(tasks);
}

template <class Pool>
sample their_futures(std::size_t tasks) {
  slots out;
  Pool pool;
  std::vector<std::future<std::uint64_t>> flying(window);
  std::uint64_t sum = 0;
  const stopwatch watch;
  for (std::size_t index = 0; index < tasks; ++index) {
    auto& slot = flying[index % window];
    if (slot.valid()) sum += slot.get();
    // Shared, since some of these pools copy what they are given.
    auto task = std::make_shared<std::packaged_task<std::uint64_t()>>([with = out.load(index)] {
      touch(with);
      return with.more[0];
    });
    slot = task->get_future();
    pool.post([task = std::move(task)] { (*task)(); });
  }
  for (auto& slot : flying) {
    if (slot.valid()) sum += slot.get();
  }
  keep(sum);
  const sample result = watch.millions(tasks);
  pool.drain();
  return result;
}

// --- T5: tasks that spawn tasks ------------------------------------------------------------------

template <class Pool>
void grow(Pool& pool, unsigned depth, cargo with) {
  touch(with);
  if (depth == 0) return;
  for (std::uint64_t side = 0; side < 2; ++side) {
    cargo next = with;
    next.more[0] += side;
    // 48 bytes: the pool, the depth, and four of the cargo's words.
    pool.post([&pool, depth, out = with.out, a = next.more[0], b = next.more[1], c = next.more[2]] {
      grow(pool, depth - 1, cargo{out, {a, b, c, 3, 4}});
    });
  }
}

template <class Pool>
sample tree(unsigned depth) {
  slots out;
  Pool pool;
  const stopwatch watch;
  grow(pool, depth, out.load(0));
  pool.drain();
  return watch.millions((std::size_t{2} << depth) - 1);
}

// --- T6: one at a time ---------------------------------------------------------------------------

template <class Ask>
sample median_of_trips(std::size_t trips, const Ask& ask) {
  std::vector<double> times;
  for (std::size_t trip = 0; trip < trips / 10 + 1; ++trip)
    ask(trip);
  const stopwatch whole;
  for (std::size_t trip = 0; trip < trips; ++trip) {
    const auto start = std::chrono::steady_clock::now();
    ask(trip);
    times.push_back(
        std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start)
            .count());
  }
  const double cpu = whole.rate(trips).cpu_ns;
  std::nth_element(times.begin(), times.begin() + static_cast<std::ptrdiff_t>(trips / 2),
                   times.end());
  return {times[trips / 2], cpu, 0};
}

sample our_trip(std::size_t trips, bool one_core) {
  if (one_core) pin(0);
  slots out;
  brigade::runtime runtime(our_options());
  return median_of_trips(trips, [&](std::size_t trip) {
    runtime.submit(brigade::threads, [with = out.load(trip)] { touch(with); }).get();
  });
}

template <class Pool>
sample their_trip(std::size_t trips, bool one_core) {
  if (one_core) pin(0);
  slots out;
  Pool pool;
  const sample result = median_of_trips(trips, [&](std::size_t trip) {
    auto task =
        std::make_shared<std::packaged_task<void()>>([with = out.load(trip)] { touch(with); });
    auto done = task->get_future();
    pool.post([task = std::move(task)] { (*task)(); });
    done.get();
  });
  pool.drain();
  return result;
}

// --- M1: map -------------------------------------------------------------------------------------

// Elements that cost the same, or in proportion to their index, the same in all.
struct element_cost {
  std::uint64_t steps;
  std::size_t count;
  bool grows;
  std::uint64_t operator()(std::uint64_t index) const {
    spin(grows ? 2 * steps * index / count : steps);
    return index;
  }
};

// Speed-up over a loop. `run` maps the numbers.
template <class Run>
sample map_speedup(const element_cost& cost, const Run& run) {
  std::vector<std::uint64_t> numbers(cost.count);
  std::iota(numbers.begin(), numbers.end(), 0);
  const stopwatch serial;
  for (const std::uint64_t number : numbers) {
    std::uint64_t value = cost(number);
    keep(value);
  }
  const double alone = serial.seconds();
  const stopwatch watch;
  const std::vector<std::uint64_t> results = run(numbers);
  sample result = watch.rate(cost.count);
  result.value = alone / watch.seconds();
  if (results != numbers) result.value = 0;
  return result;
}

sample our_map(const element_cost& cost, std::size_t chunk) {
  brigade::runtime runtime(our_options());
  runtime.submit(brigade::threads, [] {}).get();  // the threads are there
  return map_speedup(cost, [&](const std::vector<std::uint64_t>& numbers) {
    return runtime.map(brigade::threads, cost, numbers, {.chunk = chunk});
  });
}

#if BENCH_TBB
sample tbb_map(const element_cost& cost) {
  const tbb::global_control limit(tbb::global_control::max_allowed_parallelism, workers);
  return map_speedup(cost, [&](const std::vector<std::uint64_t>& numbers) {
    std::vector<std::uint64_t> results(numbers.size());
    tbb::parallel_for(std::size_t{0}, numbers.size(),
                      [&](std::size_t at) { results[at] = cost(numbers[at]); });
    return results;
  });
}
#endif

// --- O1: observers -------------------------------------------------------------------------------

enum class watched { nothing, queue, tasks };

brigade::runtime_options watched_options(watched what) {
  brigade::runtime_options options = our_options();
  if (what == watched::queue) {
    options.hooks.on_starving_queue = [](const brigade::starving_queue&) {};
    options.threads.starving_after = std::chrono::milliseconds(100);
  }
  // Every task's record is made and handed over; what becomes of it is somebody else's time.
  if (what == watched::tasks)
    options.hooks.observers.push_back(std::make_shared<brigade::observer>());
  return options;
}

sample watched_posts(std::size_t tasks, watched what) {
  slots out;
  brigade::runtime runtime(watched_options(what));
  const stopwatch watch;
  for (std::size_t index = 0; index < tasks; ++index) {
    runtime.post(brigade::threads, [with = out.load(index)] { touch(with); });
  }
  runtime.shutdown();
  return watch.millions(tasks);
}

// --- the table -----------------------------------------------------------------------------------

// Ours, then every rival; `run` is a generic lambda that takes std::type_identity<Pool>.
template <class Run>
std::vector<contender> all_pools(const Run& run, [[maybe_unused]] bool one_producer = true) {
  std::vector<contender> all;
  all.push_back({"brigade", [run] { return run(std::type_identity<our_pool>{}); }});
  all.push_back({"asio::thread_pool", [run] { return run(std::type_identity<asio_pool>{}); }});
  all.push_back({"oneTBB", nullptr});
  all.push_back({"moodycamel queue", nullptr});
#if BENCH_TBB
  all[2].run = [run] { return run(std::type_identity<tbb_pool>{}); };
#endif
#if BENCH_MOODYCAMEL
  all[3].run = [run] { return run(std::type_identity<moodycamel_pool>{}); };
#endif
  if (!one_producer) all.pop_back();  // its ends would overtake what others posted
  return all;
}

void grain(program& run) {
  for (const double microseconds : {0.2, 1.0, 5.0}) {
    const std::uint64_t steps = steps_for(microseconds);
    const auto tasks = run.operations(static_cast<std::size_t>(400'000 / microseconds));
    const std::string label = std::to_string(microseconds).substr(0, 3);
    run.compare({"T1 speed-up of 2 workers, " + label + " us tasks", "x serial", better::higher,
                 all_pools([=](auto pool) {
                   return speedup<typename decltype(pool)::type>(tasks, steps);
                 })});
  }
}

void rates(program& run) {
  const std::size_t million = run.operations(1'000'000);
  run.compare({"T2 posts, 1 producer", "M/s", better::higher, all_pools([=](auto pool) {
                 return posts<typename decltype(pool)::type>(million, 1);
               })});
  std::vector<contender> futures =
      all_pools([=](auto pool) { return their_futures<typename decltype(pool)::type>(million); });
  futures[0].run = [=] { return our_futures(million); };
  run.compare({"T3 a future each", "M/s", better::higher, futures});
  run.compare(
      {"T4 posts, 4 producers", "M/s", better::higher,
       all_pools([=](auto pool) { return posts<typename decltype(pool)::type>(million, 4); },
                 false)});
  const unsigned depth = run.quick() ? 8 : 18;
  std::vector<contender> trees =
      all_pools([=](auto pool) { return tree<typename decltype(pool)::type>(depth); }, false);
#if BENCH_TBB
  trees.push_back({"oneTBB, group.run", [=] { return tree<tbb_group>(depth); }});
#endif
  run.compare({"T5 tasks that spawn tasks", "M/s", better::higher, trees});
}

void trips(program& run) {
  for (const bool one_core : {true, false}) {
    const std::size_t count = run.operations(50'000);
    std::vector<contender> all = all_pools(
        [=](auto pool) { return their_trip<typename decltype(pool)::type>(count, one_core); });
    all[0].run = [=] { return our_trip(count, one_core); };
    run.compare({one_core ? "T6 submit to get, one core" : "T6 submit to get, two cores", "us p50",
                 better::lower, all});
  }
}

void maps(program& run) {
  for (const bool grows : {false, true}) {
    const std::size_t count = run.operations(100'000);
    const element_cost cost{steps_for(1), count, grows};
    std::vector<contender> all;
    all.push_back({"brigade", [=] { return our_map(cost, 0); }});
    for (const std::size_t chunks : {std::size_t{workers}, std::size_t{4} * workers, count}) {
      all.push_back({"brigade, " + std::to_string(chunks) + " equal chunks",
                     [=] { return our_map(cost, (count + chunks - 1) / chunks); }});
    }
    all.push_back({"oneTBB parallel_for", nullptr});
#if BENCH_TBB
    all.back().run = [=] { return tbb_map(cost); };
#endif
    run.compare({grows ? "M1 map, cost grows with the index" : "M1 map, 1 us an element",
                 "x serial", better::higher, all});
  }
}

// Ours alone: the "rivals" are watched.
void observers(program& run) {
  const std::size_t million = run.operations(1'000'000);
  run.compare(
      {"O1 posts, observed",
       "M/s",
       better::higher,
       {{"brigade, nothing watched", [=] { return watched_posts(million, watched::nothing); }},
        {"brigade, starving queue watched", [=] { return watched_posts(million, watched::queue); }},
        {"brigade, an observer", [=] { return watched_posts(million, watched::tasks); }}}});
}

}  // namespace

int main(int argc, char** argv) {
  program run(argc, argv);
  grain(run);
  rates(run);
  trips(run);
  maps(run);
  observers(run);
  flat(run, brigade::threads, "flat: posts, at most 1024 pending");
  return run.result();
}
