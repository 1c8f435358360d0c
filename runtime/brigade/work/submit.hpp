// submit, post and submit_async: how work gets in. The runtime offers them as members; the free
// functions of the same names find the runtime of the calling task.
//
// Callable and arguments are decay-copied and owned until the task has ended. With a tag, what
// cannot travel to a process is refused by the compiler; with a run-time value it arrives as
// not_transportable in the future. submit itself throws only queue_full and runtime_stopped: what
// the copy of an argument throws is in the future too.
#pragma once

#include <exception>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

#include <brigade/work/future.hpp>
#include <brigade/work/job.hpp>
#include <brigade/work/options.hpp>
#include <brigade/work/room.hpp>
#include <brigade/work/transport.hpp>

namespace brigade::detail {

// The runtime of the calling code: of the task, the worker, or the worker process. Throws
// std::logic_error when there is none.
[[nodiscard]] dispatcher& this_dispatcher();
// Who provides it where no task of the runtime runs (the main thread of a worker process).
void set_dispatcher_provider(dispatcher& (*provider)());

template <bool Flexible, class F, class... Args>
consteval auto choose_transport() {
  if constexpr (Flexible) {
    using obstacle = typename obstacle_of<F, Args...>::type;
    if constexpr (std::is_void_v<obstacle>) {
      return std::type_identity<travels<F, Args...>>{};
    } else {
      return std::type_identity<cannot_travel<obstacle>>{};
    }
  } else {
    return std::type_identity<stays_here>{};
  }
}

// Flexible: the executor may be one of processes.
template <bool Flexible, class F, class... Args>
using transport_for =
    typename decltype(choose_transport<Flexible, stored_t<F>, stored_t<Args>...>())::type;
template <bool Flexible, class F, class... Args>
using job_for = job<transport_for<Flexible, F, Args...>, stored_t<F>, stored_t<Args>...>;
// Without options: it runs once. What travels can be copied anyway.
template <class Transport>
using plain_transport =
    std::conditional_t<Transport::has_cargo, std::type_identity<Transport>,
                       std::type_identity<once<Transport>>>::type;
template <bool Flexible, class F, class... Args>
using plain_job_for =
    job<plain_transport<transport_for<Flexible, F, Args...>>, stored_t<F>, stored_t<Args>...>;

template <class F, class... Args>
using result_for = typename call_traits<stored_t<F>, stored_t<Args>...>::result;

// What the copy of a callable or an argument threw, while there was no task yet.
struct not_copied {
  std::exception_ptr error;
};

// Made: Job or timed<Job>. Throws not_copied.
template <class Job, class Made, class... Parts>
job_ref<Job> make_job(Parts&&... parts) {
  try {
    return job_ref<Job>(new Made(std::in_place, std::forward<Parts>(parts)...));
  } catch (...) {
    throw not_copied{std::current_exception()};
  }
}

// Makes a job and gives it its place in the runtime. Throws runtime_stopped and not_copied.
template <bool Flexible, class F, class... Args>
auto adopt_job(dispatcher& to, executor_kind where, submit_options& options, F&& callable,
               Args&&... args) {
  using job_type = job_for<Flexible, F, Args...>;
  auto made =
      make_job<job_type, timed<job_type>>(std::forward<F>(callable), std::forward<Args>(args)...);
  to.adopt(*made, where, options);
  return made;
}

// What is wrong with the options for a task whose arguments can or cannot be copied; null when
// nothing is.
inline std::exception_ptr objection(const submit_options& options, const job_state& job,
                                    bool copyable) {
  if (options.retries > 0 && !options.idempotent) {
    return std::make_exception_ptr(
        std::invalid_argument(describe(job.identity()) +
                              ": .retries needs .idempotent = true, which says that running "
                              "the task more than once does no harm"));
  }
  if (options.idempotent && !copyable) {
    return std::make_exception_ptr(std::invalid_argument(
        describe(job.identity()) + ": an idempotent task needs arguments that can be copied"));
  }
  return nullptr;
}

template <bool Flexible, class F, class... Args>
future<result_for<F, Args...>> submit_to(dispatcher& to, executor_kind where,
                                         submit_options options, F&& callable, Args&&... args) {
  job_ref<job_for<Flexible, F, Args...>> made;
  try {
    made = adopt_job<Flexible>(to, where, options, std::forward<F>(callable),
                               std::forward<Args>(args)...);
  } catch (const not_copied& failure) {
    return failed_future<result_for<F, Args...>>(to, failure.error);
  }
  made->retain();  // the queue's
  if (const std::exception_ptr wrong = objection(options, *made, made->copyable)) {
    to.give_up(*made, wrong);
  } else {
    to.submit(*made, options);
  }
  using state = state_of<result_for<F, Args...>>;
  return future_access::make(job_ref<state>(made.take()));
}

// The same for a call without options.
template <bool Flexible, class F, class... Args>
future<result_for<F, Args...>> submit_plain(dispatcher& to, executor_kind where, F&& callable,
                                            Args&&... args) {
  using job_type = plain_job_for<Flexible, F, Args...>;
  job_ref<job_type> made;
  try {
    made =
        make_job<job_type, timed<job_type>>(std::forward<F>(callable), std::forward<Args>(args)...);
  } catch (const not_copied& failure) {
    return failed_future<result_for<F, Args...>>(to, failure.error);
  }
  to.adopt(*made, where);
  made->retain();  // the queue's
  to.submit(*made);
  using state = state_of<result_for<F, Args...>>;
  return future_access::make(job_ref<state>(made.take()));
}

// And without a future.
template <bool Flexible, class F, class... Args>
void post_plain(dispatcher& to, executor_kind where, F&& callable, Args&&... args) {
  using job_type = plain_job_for<Flexible, F, Args...>;
  job_ref<job_type> made;
  try {
    made = to.observed() ? make_job<job_type, timed<job_type>>(std::forward<F>(callable),
                                                               std::forward<Args>(args)...)
                         : make_job<job_type, job_type>(std::forward<F>(callable),
                                                        std::forward<Args>(args)...);
  } catch (const not_copied& failure) {
    report_error(to.callbacks(), {{}, 0, where}, failure.error);
    return;
  }
  made->without_future();
  to.adopt(*made, where);
  to.submit(*made.take());
}

template <class Kind>
inline constexpr bool is_processes_tag = false;
template <>
inline constexpr bool is_processes_tag<executor_tag<executor_kind::processes>> = true;

// Where: an executor_tag, an executor_kind or submit_options.
template <class Where>
inline constexpr bool is_flexible = true;
template <executor_kind Kind>
inline constexpr bool is_flexible<executor_tag<Kind>> = Kind == executor_kind::processes;

[[nodiscard]] inline submit_options options_for(executor_kind where) {
  submit_options options;
  options.on = where;
  return options;
}
[[nodiscard]] inline submit_options options_for(submit_options options) noexcept { return options; }

// Says in one line what is wrong with the first argument of submit.
template <class Where>
consteval bool require_where() {
  constexpr bool good =
      std::is_convertible_v<Where, executor_kind> || std::is_convertible_v<Where, submit_options>;
  static_assert(
      good,
      "brigade: the first argument says where to run: brigade::loop, brigade::threads or "
      "brigade::processes, brigade::parse_executor(name) for a name, or options in braces as in "
      "{.on = brigade::threads}; then come the callable and its arguments");
  return good;
}

// Refuses at compile time, in one line, what is known to go to a process and cannot. Result may be
// void.
template <class Where, class Result, class... Sent>
consteval bool refused() {
  if constexpr (is_processes_tag<Where>) {
    using sent_back = std::conditional_t<std::is_void_v<Result>, bool, Result>;
    return !codec::require_transportable<Sent..., sent_back>();
  } else {
    return false;
  }
}
template <class Where, class F, class... Args>
consteval bool refused_call() {
  if constexpr (!require_where<Where>()) {
    return true;
  } else if constexpr (require_callable<stored_t<F>, stored_t<Args>...>()) {
    return refused<Where, result_for<F, Args...>, stored_t<F>, stored_t<Args>...>();
  } else {
    return true;
  }
}

template <class Where, class F, class... Args>
future<result_for<F, Args...>> submit_where(dispatcher& to, Where where, F&& callable,
                                            Args&&... args) {
  if constexpr (refused_call<Where, F, Args...>()) {
    return {};
  } else if constexpr (std::is_convertible_v<Where, executor_kind>) {
    return submit_plain<is_flexible<Where>>(to, where, std::forward<F>(callable),
                                            std::forward<Args>(args)...);
  } else {
    submit_options options = options_for(std::move(where));
    const executor_kind kind = options.on.value_or(executor_kind::threads);
    return submit_to<is_flexible<Where>>(to, kind, std::move(options), std::forward<F>(callable),
                                         std::forward<Args>(args)...);
  }
}

template <class Where, class F, class... Args>
task<future<result_for<F, Args...>>> submit_with_room(dispatcher* to, Where where, F callable,
                                                      Args... args) {
  submit_options options = options_for(std::move(where));
  const executor_kind kind = options.on.value_or(executor_kind::threads);
  job_ref<job_for<is_flexible<Where>, F, Args...>> made;
  std::exception_ptr uncopied;
  try {
    made =
        adopt_job<is_flexible<Where>>(*to, kind, options, std::move(callable), std::move(args)...);
  } catch (const not_copied& failure) {
    uncopied = failure.error;
  }
  if (uncopied) co_return failed_future<result_for<F, Args...>>(*to, std::move(uncopied));
  made->retain();  // the queue's
  if (const std::exception_ptr wrong = objection(options, *made, made->copyable)) {
    to->give_up(*made, wrong);
  } else {
    try {
      co_await room_in(to->gate_of(kind));
    } catch (...) {
      to->give_up(*made, std::current_exception());
      throw;
    }
    to->enqueue(*made);
  }
  using state = state_of<result_for<F, Args...>>;
  co_return future_access::make(job_ref<state>(made.take()));
}

template <class F, class... Args>
auto drive_in_worker(remote_host& host, F&& callable, Args&&... args) {
  dispatcher& to = host.local_runtime();
  submit_options options;
  options.stop = host.stop();
  using job_type = job_for<false, F, Args...>;
  job_ref<job_type> made(
      new timed<job_type>(std::in_place, std::forward<F>(callable), std::forward<Args>(args)...));
  made->stand_for_process_task();
  to.adopt(*made, executor_kind::loop, options);
  made->retain();  // the queue's
  to.submit(*made, options);
  using state = state_of<result_for<F, Args...>>;
  return future_access::make(job_ref<state>(made.take())).get();
}

}  // namespace brigade::detail

namespace brigade {

// submit, post and submit_async of one runtime. Copyable handle; owns nothing. Thread-safe.
class submitter {
 public:
  explicit submitter(detail::dispatcher& to) noexcept : to_(&to) {}

  // Runs callable(args...) on an executor. `where` is a tag, an executor_kind, or options in
  // braces. Throws queue_full and runtime_stopped; all else arrives in the future.
  template <class Where = submit_options, class F, class... Args>
  auto submit(Where where, F&& callable, Args&&... args) {
    return detail::submit_where(*to_, std::move(where), std::forward<F>(callable),
                                std::forward<Args>(args)...);
  }

  // submit without a future: a failure goes to the error hook.
  template <class Where = submit_options, class F, class... Args>
  void post(Where where, F&& callable, Args&&... args) {
    if constexpr (detail::refused_call<Where, F, Args...>()) {
      return;
    } else if constexpr (std::is_convertible_v<Where, executor_kind>) {
      detail::post_plain<detail::is_flexible<Where>>(*to_, where, std::forward<F>(callable),
                                                     std::forward<Args>(args)...);
    } else {
      submit(std::move(where), std::forward<F>(callable), std::forward<Args>(args)...) = {};
    }
  }

  // co_await submit_async(...) suspends the task until there is room and yields the future. Throws
  // runtime_stopped from the co_await. Never blocks.
  template <class Where = submit_options, class F, class... Args>
  auto submit_async(Where where, F&& callable, Args&&... args) {
    if constexpr (detail::refused_call<Where, F, Args...>()) {
      return task<future<detail::result_for<F, Args...>>>();
    } else {
      return detail::submit_with_room<Where, detail::stored_t<F>, detail::stored_t<Args>...>(
          to_, std::move(where), std::forward<F>(callable), std::forward<Args>(args)...);
    }
  }

  // One function over many elements, see map.hpp. These block, but for the _async ones, which give
  // futures, and imap, which gives lazy ranges.
  template <class Where, class F, class Range>
  requires std::is_convertible_v<Where, executor_kind>
  auto map(Where where, F callable, Range&& range, map_options options = {});
  template <class Where, class F, class Range>
  requires std::is_convertible_v<Where, executor_kind>
  auto map_async(Where where, F callable, Range&& range, map_options options = {});
  template <class Where, class F, class Range>
  requires std::is_convertible_v<Where, executor_kind>
  auto starmap(Where where, F callable, Range&& range, map_options options = {});
  template <class Where, class F, class Range>
  requires std::is_convertible_v<Where, executor_kind>
  auto starmap_async(Where where, F callable, Range&& range, map_options options = {});
  template <class Where, class F, class Range>
  requires std::is_convertible_v<Where, executor_kind>
  auto imap(Where where, F callable, Range&& range, map_options options = {});
  template <class Where, class F, class Range>
  requires std::is_convertible_v<Where, executor_kind>
  auto imap_unordered(Where where, F callable, Range&& range, map_options options = {});

  [[nodiscard]] detail::dispatcher& target() const noexcept { return *to_; }

 private:
  detail::dispatcher* to_;
};

// The members of the same names, of the runtime that the calling task belongs to. Throw
// std::logic_error outside of any task.
template <class Where = submit_options, class F, class... Args>
auto submit(Where where, F&& callable, Args&&... args) {
  return submitter(detail::this_dispatcher())
      .submit(std::move(where), std::forward<F>(callable), std::forward<Args>(args)...);
}
template <class Where = submit_options, class F, class... Args>
void post(Where where, F&& callable, Args&&... args) {
  submitter(detail::this_dispatcher())
      .post(std::move(where), std::forward<F>(callable), std::forward<Args>(args)...);
}
template <class Where = submit_options, class F, class... Args>
auto submit_async(Where where, F&& callable, Args&&... args) {
  return submitter(detail::this_dispatcher())
      .submit_async(std::move(where), std::forward<F>(callable), std::forward<Args>(args)...);
}

}  // namespace brigade
