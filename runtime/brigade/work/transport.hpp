// How a call travels to a worker process and its result comes back.
//
// The identity of a call is where its thunk is: the module (by build-id) and the offset in it. The
// thunk is a function template instantiated in the program that submits, so the worker, which runs
// the same program, has it too; no registration and no names. Function pointers among callable and
// arguments travel in the same way.
#pragma once

#include <stop_token>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

#include <brigade/codec/coder.hpp>
#include <brigade/codec/transportable.hpp>
#include <brigade/os/module.hpp>
#include <brigade/work/callable.hpp>
#include <brigade/work/job.hpp>

namespace brigade::detail {

void write_code_address(codec::writer& out, const void* function);
[[nodiscard]] const void* read_code_address(codec::reader& in);

// What the worker process is to the call that it runs.
class remote_host {
 public:
  virtual ~remote_host() = default;
  // The runtime of this worker process, made on first use.
  virtual dispatcher& local_runtime() = 0;
  // Signalled when the host cancels the call.
  virtual std::stop_token stop() = 0;
  // The arguments have been decoded; the task itself begins now.
  virtual void begin() = 0;
};

using remote_thunk = void (*)(codec::reader& in, codec::writer& out, remote_host& host);

// What an executor of processes needs to know of a job that can travel.
struct remote_call {
  // Runs in the worker: decodes, calls, encodes the result. Throws what the task throws, and
  // codec_error.
  remote_thunk thunk;
  // Callable and arguments; null for a continuation, see executor::prepare_follower(). Throws
  // codec_error, not_transportable.
  void (*encode)(const job_state& job, codec::writer& out);
  // Decodes a result and makes it the outcome unless that is decided; returns whether it was this
  // call that decided. Throws codec_error with nothing decided. Whoever calls finishes the job.
  bool (*accept)(job_state& job, codec::reader& in);
  // Whether the worker must listen for a stop request while it runs the call.
  bool takes_stop;
};

// Runs a coroutine on the worker's own loop and waits for it; defined in submit.hpp.
template <class F, class... Args>
auto drive_in_worker(remote_host& host, F&& callable, Args&&... args);

// The Transport of a job that travels.
template <class F, class... Args>
struct travels {
  using traits = call_traits<F, Args...>;
  using result = typename traits::result;
  using job_type = job<travels, F, Args...>;
  static constexpr bool has_cargo = true;
  static constexpr bool repeats = true;
  static constexpr const std::type_info* obstacle() noexcept { return nullptr; }

  static const remote_call* call() noexcept {
    static constexpr remote_call self{&thunk, &encode, &accept,
                                      traits::with_token || traits::is_coroutine};
    return &self;
  }

  static void thunk(codec::reader& in, codec::writer& out, remote_host& host) {
    F callable = codec::read_value<F>(in);
    std::tuple<Args...> arguments{codec::read_value<Args>(in)...};  // braces: from left to right
    in.expect_end();
    host.begin();
    if constexpr (traits::is_coroutine) {
      std::apply(
          [&](Args&... each) {
            if constexpr (std::is_void_v<result>) {
              drive_in_worker(host, std::move(callable), std::move(each)...);
            } else {
              codec::write_value(
                  out, drive_in_worker(host, std::move(callable), std::move(each)...));
            }
          },
          arguments);
    } else if constexpr (std::is_void_v<result>) {
      call_stored(callable, arguments, host.stop());
    } else {
      const result value = call_stored(callable, arguments, host.stop());
      codec::write_value(out, value);
    }
  }

  static void encode(const job_state& state, codec::writer& out) {
    const auto& self = static_cast<const job_type&>(state);
    expect_function(self.callable());
    codec::write_value(out, self.callable());
    std::apply([&](const Args&... each) { (codec::write_value(out, each), ...); },
               self.stored_arguments());
  }

  static bool accept(job_state& state, codec::reader& in) {
    auto& self = static_cast<state_of<result>&>(state);
    if constexpr (std::is_void_v<result>) {
      in.expect_end();
      if (!self.claim_outcome()) return false;
      self.put_value({});
    } else {
      result value = codec::read_value<result>(in);
      in.expect_end();
      if (!self.claim_outcome()) return false;
      self.put_value(std::move(value));
    }
    return true;
  }
};

// Of a call of F with Args, what cannot travel or come back; void when everything can.
template <class F, class... Args>
struct obstacle_of {
  using result = typename call_traits<F, Args...>::result;
  using sent_back = std::conditional_t<std::is_void_v<result>, bool, result>;
  using type = typename codec::first_refused<F, Args..., sent_back>::type;
};

}  // namespace brigade::detail

namespace brigade::codec {

template <class R, class... Args>
struct coder<R (*)(Args...)> {
  static void write(writer& out, R (*const& function)(Args...)) {
    brigade::detail::write_code_address(out, reinterpret_cast<const void*>(function));
  }
  static auto read(reader& in) -> R (*)(Args...) {
    return reinterpret_cast<R (*)(Args...)>(
        const_cast<void*>(brigade::detail::read_code_address(in)));
  }
};

template <class R, class... Args>
struct coder<R (*)(Args...) noexcept> {
  static void write(writer& out, R (*const& function)(Args...) noexcept) {
    brigade::detail::write_code_address(out, reinterpret_cast<const void*>(function));
  }
  static auto read(reader& in) -> R (*)(Args...) noexcept {
    return reinterpret_cast<R (*)(Args...) noexcept>(
        const_cast<void*>(brigade::detail::read_code_address(in)));
  }
};

}  // namespace brigade::codec
