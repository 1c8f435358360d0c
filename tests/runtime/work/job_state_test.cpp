#include <brigade/work/job_state.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <barrier>
#include <memory>
#include <stdexcept>
#include <thread>
#include <vector>

#include "toy_executor.hpp"

using namespace brigade;
using brigade::testing::barrier_gate;
using brigade::testing::error_log;
using brigade::testing::toy_runtime;
using detail::job_ref;

namespace {

constexpr int rounds = 3000;

// Runs both sides in step, `rounds` times; `begin` makes what a round needs, `end` looks at it.
template <class Begin, class Left, class Right, class End>
void race(Begin begin, Left left, Right right, End end) {
  std::barrier in_step(2);
  std::thread other([&] {
    for (int round = 0; round < rounds; ++round) {
      in_step.arrive_and_wait();
      left();
      in_step.arrive_and_wait();
    }
  });
  for (int round = 0; round < rounds; ++round) {
    begin();
    in_step.arrive_and_wait();
    right();
    in_step.arrive_and_wait();
    end();
  }
  other.join();
}

struct counting : detail::continuation {
  counting() {
    notify = [](continuation& self) noexcept { ++static_cast<counting&>(self).told; };
  }
  std::atomic<int> told{0};
};

using state = detail::hand_state<int>;

job_ref<state> made_by_hand(detail::dispatcher* owner = nullptr) {
  return job_ref<state>(new state(owner));
}

}  // namespace

TEST_CASE("an outcome is claimed by exactly one of two") {
  job_ref<state> job;
  std::atomic<int> winners{0};
  const auto claim = [&] { winners += job->succeed(1) ? 1 : 0; };
  int wrong = 0;
  race([&] { job = made_by_hand(); winners = 0; }, claim, claim,
       [&] { wrong += winners == 1 && job->ready() && job->take() == 1 ? 0 : 1; });
  CHECK(wrong == 0);
}

TEST_CASE("a continuation is told exactly once, or learns that it is late") {
  job_ref<state> job;
  std::unique_ptr<counting> waiter;
  bool registered = false;
  int wrong = 0;
  race([&] { job = made_by_hand(); waiter = std::make_unique<counting>(); },
       [&] { job->succeed(1); }, [&] { registered = job->set_continuation(*waiter); },
       [&] { wrong += waiter->told == (registered ? 1 : 0) ? 0 : 1; });
  CHECK(wrong == 0);
}

TEST_CASE("a continuation is either removed or told") {
  job_ref<state> job;
  std::unique_ptr<counting> waiter;
  bool removed = false;
  int wrong = 0;
  race(
      [&] {
        job = made_by_hand();
        waiter = std::make_unique<counting>();
        static_cast<void>(job->set_continuation(*waiter));
      },
      [&] { job->succeed(1); }, [&] { removed = job->remove_continuation(*waiter); },
      [&] { wrong += waiter->told == (removed ? 0 : 1) ? 0 : 1; });
  CHECK(wrong == 0);
}

TEST_CASE("a second continuation is refused") {
  const job_ref<state> job = made_by_hand();
  counting first;
  counting second;
  CHECK(job->set_continuation(first));
  CHECK_THROWS_AS(static_cast<void>(job->set_continuation(second)), std::logic_error);
  job->succeed(1);
  CHECK(first.told == 1);
  CHECK(second.told == 0);
  CHECK_FALSE(job->set_continuation(second));
}

TEST_CASE("a failure that races with the drop of its future is reported exactly once") {
  error_log log;
  toy_runtime rt(log.hooks());
  job_ref<state> job;
  job_ref<state> future;
  int wrong = 0;
  int before = 0;
  race(
      [&] {
        job = made_by_hand(&rt.core);
        future = job;
        before = log.count();
      },
      [&] { job->fail(std::make_exception_ptr(std::runtime_error("lost"))); },
      [&] { future.take()->abandon(); }, [&] { wrong += log.count() == before + 1 ? 0 : 1; });
  CHECK(wrong == 0);
}

TEST_CASE("neither a value nor a cancellation is reported when its future was dropped") {
  error_log log;
  toy_runtime rt(log.hooks());
  job_ref<state> value = made_by_hand(&rt.core);
  job_ref<state> cancelled = value;
  value->succeed(1);
  value.take()->abandon();
  cancelled = made_by_hand(&rt.core);
  cancelled->fail(std::make_exception_ptr(task_cancelled("asked for", {})));
  cancelled.take()->abandon();
  CHECK(log.count() == 0);
}

TEST_CASE("all who sleep for an outcome are woken") {
  const job_ref<state> job = made_by_hand();
  std::vector<std::thread> sleepers;
  std::atomic<int> woken{0};
  for (int each = 0; each < 4; ++each) {
    sleepers.emplace_back([&] { woken += job->sleep_until_ready(std::nullopt) ? 1 : 0; });
  }
  CHECK_FALSE(job->sleep_until_ready(detail::clock::now() + std::chrono::milliseconds(2)));
  job->succeed(1);
  for (std::thread& each : sleepers) each.join();
  CHECK(woken == 4);
}

TEST_CASE("a body runs, or is cancelled before it starts, and the future says which") {
  future<int> answer;
  std::atomic<int> ran{0};
  toy_runtime rt;
  int wrong = 0;
  race([&] { ran = 0; answer = rt.submit(threads, [&ran] { return ++ran; }); },
       [] {},
       [&] {
         const bool cancelled = answer.cancel();
         try {
           wrong += answer.get() == 1 && !cancelled ? 0 : 1;
         } catch (const task_cancelled&) {
           wrong += cancelled && ran == 0 ? 0 : 1;
         }
       },
       [] {});
  CHECK(wrong == 0);
}
