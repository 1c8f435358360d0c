// The event loop against Asio, libuv and GLib: L1 coroutines, L2 a million sleeps, L4 posts from
// another thread and round trips, L5 hops, and whether a post costs the same among many as among
// few.
#include "bench.hpp"
#include "flat.hpp"
#include "pools.hpp"

#include <algorithm>
#include <chrono>
#include <future>
#include <memory>
#include <string>

#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>

#if BENCH_LIBUV
#include <uv.h>
#endif
#if BENCH_GLIB
#include <glib.h>
#endif

namespace {

using namespace bench;

constexpr std::size_t batch = 1000;

void count(const cargo& with) { *with.out += with.more[0]; }  // one thread: the loop's

// An io_context with a thread, for those who come from outside.
class asio_loop {
 public:
  template <class F>
  void post(F&& f) {
    asio::post(io_, std::forward<F>(f));
  }
  void drain() {
    guard_.reset();
    thread_.join();
  }

 private:
  asio::io_context io_{1};
  asio::executor_work_guard<asio::io_context::executor_type> guard_ = asio::make_work_guard(io_);
  std::thread thread_{[this] { io_.run(); }};
};

class our_loop {
 public:
  template <class F>
  void post(F&& f) {
    runtime_.post(brigade::loop, std::forward<F>(f));
  }
  void drain() { runtime_.shutdown(); }

 private:
  brigade::runtime runtime_{our_options()};
};

// --- L1: empty coroutine tasks, submitted on the loop --------------------------------------------

brigade::task<void> our_empty(cargo with) {
  count(with);
  co_return;
}

sample our_coroutines(std::size_t tasks, bool futures) {
  brigade::runtime runtime(our_options());
  std::uint64_t sum = 0;
  const stopwatch watch;
  runtime
      .submit(brigade::loop,
              [&]() -> brigade::task<void> {
                for (std::size_t index = 0; index < tasks; ++index) {
                  if (futures) {
                    auto dropped =
                        brigade::submit(brigade::loop, our_empty, cargo{&sum, {1, 1, 2, 3, 4}});
                  } else {
                    brigade::post(brigade::loop, our_empty, cargo{&sum, {1, 1, 2, 3, 4}});
                  }
                  if (index % batch == 0) co_await brigade::yield_now();
                }
              })
      .get();
  runtime.shutdown();
  if (sum != tasks) throw std::runtime_error("tasks were lost");
  return watch.millions(tasks);
}

asio::awaitable<void> asio_empty(cargo with) {
  count(with);
  co_return;
}

sample asio_coroutines(std::size_t tasks) {
  asio::io_context io(1);
  std::uint64_t sum = 0;
  const stopwatch watch;
  asio::co_spawn(
      io,
      [&]() -> asio::awaitable<void> {
        for (std::size_t index = 0; index < tasks; ++index) {
          asio::co_spawn(io, asio_empty(cargo{&sum, {1, 1, 2, 3, 4}}), asio::detached);
          if (index % batch == 0) co_await asio::post(io, asio::use_awaitable);
        }
      },
      asio::detached);
  io.run();
  if (sum != tasks) throw std::runtime_error("tasks were lost");
  return watch.millions(tasks);
}

// --- L2: sleeps ----------------------------------------------------------------------------------

// How much later than they should all of them have woken, the time to start them included. They
// sleep for so long that on a busy machine too all have begun before the first one wakes.
std::chrono::milliseconds nap{5000};  // set by main() before anything runs

struct sleepers {
  explicit sleepers(std::size_t number) : left(number), count(number), before(private_bytes()) {}

  void one_woke() {
    if (--left == 0) late = watch.seconds() - std::chrono::duration<double>(nap).count();
  }
  [[nodiscard]] sample result() const {
    return {late, 1e9 * watch.cpu_seconds() / static_cast<double>(count), bytes};
  }
  // Once all have begun to sleep; nothing, when some have woken already.
  void weigh() {
    if (left == count) bytes = (private_bytes() - before) / static_cast<double>(count);
  }

  std::size_t left;
  std::size_t count;
  double before;
  stopwatch watch;
  double late = 0;
  double bytes = 0;
};

brigade::task<void> our_sleeper(sleepers* all) {
  co_await brigade::sleep_for(nap);
  all->one_woke();
}

sample our_sleeps(std::size_t number) {
  brigade::runtime runtime(our_options());
  sleepers all(number);
  runtime
      .submit(brigade::loop,
              [&]() -> brigade::task<void> {
                for (std::size_t index = 0; index < number; ++index) {
                  brigade::post(brigade::loop, our_sleeper, &all);
                  if (index % batch == 0) co_await brigade::yield_now();
                }
                co_await brigade::yield_now();
                all.weigh();
              })
      .get();
  runtime.shutdown();
  return all.result();
}

asio::awaitable<void> asio_sleeper(asio::io_context& io, sleepers* all) {
  asio::steady_timer timer(io, nap);
  co_await timer.async_wait(asio::use_awaitable);
  all->one_woke();
}

sample asio_sleeps(std::size_t number) {
  asio::io_context io(1);
  sleepers all(number);
  for (std::size_t index = 0; index < number; ++index) {
    asio::co_spawn(io, asio_sleeper(io, &all), asio::detached);
    if (index % batch == 0) io.poll();
  }
  io.poll();
  all.weigh();
  io.run();
  return all.result();
}

sample asio_timers(std::size_t number) {
  asio::io_context io(1);
  sleepers all(number);
  for (std::size_t index = 0; index < number; ++index) {
    auto timer = std::make_unique<asio::steady_timer>(io, nap);
    auto& waits = *timer;
    waits.async_wait([&all, kept = std::move(timer)](const asio::error_code&) { all.one_woke(); });
  }
  all.weigh();
  io.run();
  return all.result();
}

#if BENCH_LIBUV
sample uv_timers(std::size_t number) {
  uv_loop_t loop;
  uv_loop_init(&loop);
  sleepers all(number);
  uv_update_time(&loop);
  for (std::size_t index = 0; index < number; ++index) {
    auto* const timer = new uv_timer_t;
    uv_timer_init(&loop, timer);
    timer->data = &all;
    uv_timer_start(
        timer,
        [](uv_timer_t* fired) {
          static_cast<sleepers*>(fired->data)->one_woke();
          uv_close(reinterpret_cast<uv_handle_t*>(fired),
                   [](uv_handle_t* closed) { delete reinterpret_cast<uv_timer_t*>(closed); });
        },
        static_cast<std::uint64_t>(nap.count()), 0);
  }
  all.weigh();
  uv_run(&loop, UV_RUN_DEFAULT);
  return all.result();
}
#endif

// --- L4: from another thread ---------------------------------------------------------------------

template <class Loop>
sample posts(std::size_t number) {
  std::uint64_t sum = 0;
  Loop loop;
  const stopwatch watch;
  for (std::size_t index = 0; index < number; ++index) {
    loop.post([with = cargo{&sum, {1, 1, 2, 3, 4}}] { count(with); });
  }
  loop.drain();
  if (sum != number) throw std::runtime_error("posts were lost");
  return watch.millions(number);
}

#if BENCH_GLIB
sample glib_posts(std::size_t number) {
  struct carried {
    cargo with;
    GMainLoop* loop;
    bool last;
  };
  GMainContext* const context = g_main_context_new();
  GMainLoop* const loop = g_main_loop_new(context, FALSE);
  std::thread thread([&] { g_main_loop_run(loop); });
  std::uint64_t sum = 0;
  const stopwatch watch;
  for (std::size_t index = 0; index < number; ++index) {
    auto* const each = new carried{{&sum, {1, 1, 2, 3, 4}}, loop, index + 1 == number};
    GSource* const source = g_idle_source_new();
    g_source_set_priority(source, G_PRIORITY_DEFAULT);
    g_source_set_callback(
        source,
        [](gpointer data) -> gboolean {
          auto* const got = static_cast<carried*>(data);
          count(got->with);
          if (got->last) g_main_loop_quit(got->loop);
          delete got;
          return G_SOURCE_REMOVE;
        },
        each, nullptr);
    g_source_attach(source, context);
    g_source_unref(source);
  }
  thread.join();
  return watch.millions(number);
}
#endif

template <class Trip>
sample trip_time(std::size_t trips, const Trip& trip) {
  for (std::size_t index = 0; index < trips / 10 + 1; ++index)
    trip();
  const stopwatch watch;
  for (std::size_t index = 0; index < trips; ++index)
    trip();
  sample result = watch.rate(trips);
  result.value = 1e6 / result.value;
  return result;
}

sample our_trips(std::size_t trips) {
  pin(0);
  brigade::runtime runtime(our_options());
  std::uint64_t sum = 0;
  return trip_time(trips, [&] {
    runtime.submit(brigade::loop, [with = cargo{&sum, {1, 1, 2, 3, 4}}] { count(with); }).get();
  });
}

sample asio_trips(std::size_t trips) {
  pin(0);
  asio_loop loop;
  std::uint64_t sum = 0;
  const sample result = trip_time(trips, [&] {
    std::promise<void> promise;
    auto done = promise.get_future();
    loop.post([with = cargo{&sum, {1, 1, 2, 3, 4}}, &promise] {
      count(with);
      promise.set_value();
    });
    done.get();
  });
  loop.drain();
  return result;
}

// --- L5: hops ------------------------------------------------------------------------------------

sample our_hops(std::size_t hops) {
  brigade::runtime runtime(our_options());
  const stopwatch watch;
  runtime
      .submit(brigade::loop,
              [&]() -> brigade::task<void> {
                for (std::size_t hop = 0; hop < hops; ++hop)
                  co_await brigade::yield_now();
              })
      .get();
  sample result = watch.rate(hops);
  result.value = 1e9 / result.value;
  return result;
}

sample asio_hops(std::size_t hops) {
  asio::io_context io(1);
  const stopwatch watch;
  asio::co_spawn(
      io,
      [&]() -> asio::awaitable<void> {
        for (std::size_t hop = 0; hop < hops; ++hop)
          co_await asio::post(asio::use_awaitable);
      },
      asio::detached);
  io.run();
  sample result = watch.rate(hops);
  result.value = 1e9 / result.value;
  return result;
}

}  // namespace

int main(int argc, char** argv) {
  program run(argc, argv);
  const std::size_t million = run.operations(1'000'000);
  const std::size_t few = run.operations(50'000);
  if (run.quick()) nap = std::chrono::milliseconds(50);
  run.compare({"L1 empty coroutines on the loop",
               "M/s",
               better::higher,
               {{"brigade, post", [=] { return our_coroutines(million, false); }},
                {"brigade, a future each", [=] { return our_coroutines(million, true); }},
                {"asio::co_spawn", [=] { return asio_coroutines(million); }}}});
  comparison sleeps{"L2 sleeps of 5 s",
                    "s late",
                    better::lower,
                    {{"brigade, coroutines", [=] { return our_sleeps(million); }},
                     {"asio, coroutines", [=] { return asio_sleeps(million); }},
                     {"asio, callbacks", [=] { return asio_timers(million); }},
                     {"libuv, callbacks", nullptr}}};
  comparison outside{"L4 posts from another thread",
                     "M/s",
                     better::higher,
                     {{"brigade", [=] { return posts<our_loop>(million); }},
                      {"asio::post", [=] { return posts<asio_loop>(million); }},
                      {"GLib", nullptr}}};
#if BENCH_LIBUV
  sleeps.contenders.back().run = [=] { return uv_timers(million); };
#endif
#if BENCH_GLIB
  outside.contenders.back().run = [=] { return glib_posts(million / 10); };
#endif
  run.compare(sleeps);
  run.compare(outside);
  run.compare({"L4 round trip, one core",
               "us",
               better::lower,
               {{"brigade", [=] { return our_trips(few); }},
                {"asio::post and std::future", [=] { return asio_trips(few); }}}});
  run.compare({"L5 hop through the loop",
               "ns",
               better::lower,
               {{"brigade", [=] { return our_hops(5 * million); }},
                {"asio", [=] { return asio_hops(5 * million); }}}});
  flat(run, brigade::loop, "flat: posts to the loop, at most 1024 pending");
  return run.result();
}
