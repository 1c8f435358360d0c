#include <brigade/processes/worker.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <limits>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <system_error>
#include <utility>

#include <brigade/codec/codec.hpp>
#include <brigade/codec/exception.hpp>
#include <brigade/os/clock.hpp>
#include <brigade/os/crash_handler.hpp>
#include <brigade/os/memfd.hpp>
#include <brigade/os/process.hpp>
#include <brigade/os/thread.hpp>
#include <brigade/processes/black_box.hpp>
#include <brigade/processes/failure.hpp>
#include <brigade/processes/output_reader.hpp>
#include <brigade/processes/process_main.hpp>
#include <brigade/processes/protocol.hpp>
#include <brigade/processes/stop_listener.hpp>
#include <brigade/processes/worker_life.hpp>
#include <brigade/wire/channel.hpp>
#include <brigade/wire/worker_lane.hpp>
#include <brigade/work/context.hpp>
#include <brigade/work/submit.hpp>
#include <brigade/work/transport.hpp>

namespace brigade::detail {
namespace {

// The runtime of this worker, made on first use, by whatever thread.
class lazy_runtime {
 public:
  explicit lazy_runtime(make_local_runtime make) noexcept : make_(make) {}
  dispatcher& get() {
    const std::lock_guard lock(mutex_);
    if (!made_) made_ = make_();
    return made_->target();
  }

 private:
  make_local_runtime make_;
  std::mutex mutex_;
  std::unique_ptr<local_runtime> made_;
};

// Where the free functions find it: a process is one worker for all its life.
lazy_runtime* runtime_of_this_worker = nullptr;

class worker final : public remote_host {
 public:
  worker(inheritance inherited, make_local_runtime make)
      : channel_(std::move(inherited.descriptors.at(0))),
        lane_(inherited.descriptors.at(1).get(), std::move(inherited.descriptors.at(3)),
              std::move(inherited.descriptors.at(4))),
        box_(inherited.descriptors.at(2).get()),
        stops_(lane_),
        runtime_(make),
        pid_(os::process_id()) {
    runtime_of_this_worker = &runtime_;
    set_dispatcher_provider([]() -> dispatcher& { return runtime_of_this_worker->get(); });
    set_up(inherited);
  }

  ~worker() override { os::stop_crash_reports(); }

  void serve() {
    try {
      wire::worker_lane::call call;
      for (;;) {
        switch (lane_.take(call)) {
          case wire::worker_lane::next::call:
            run(call);
            break;
          case wire::worker_lane::next::closed:
            return;
          case wire::worker_lane::next::lost:
            std::_Exit(exit_code_lane_lost);
        }
      }
    } catch (const std::system_error&) {
      std::_Exit(exit_code_without_channel);
    }
  }

  dispatcher& local_runtime() override { return runtime_.get(); }
  std::stop_token stop() override { return stop_; }
  void begin() override { lane_.begin(); }

 private:
  void set_up(const inheritance& inherited) {
    const auto frame = channel_.receive();
    if (!frame) std::exit(0);  // the host ended while this was on its way
    const auto setup = codec::from_bytes<worker_setup>(frame->body);
    const std::string name = "brigade-w" + std::to_string(setup.slot);
    enter_worker_process(setup.slot);
    enter_process({name, pid_}, setup.host);
    os::set_thread_name(name);
    const std::size_t count = inherited.descriptors.size();
    if (!setup.output_mark.empty()) {
      marks_ = output_marks(setup.output_mark, inherited.descriptors.at(count - 2).get(),
                            inherited.descriptors.at(count - 1).get());
    }
    bounds_.encoded_bytes = setup.max_message_bytes;
    hello greeting;
    if (!inherited.is_fork) greeting.modules = own_modules();
    const int initializer = setup.has_initializer ? inherited.descriptors.at(5).get() : -1;
    greeting.failure = failure_of([&] { settle_in(setup, initializer, box_, *this); });
    marks_.end();
    wire::frame_header header;
    header.kind = wire::frame_kind::ready;
    send(wire::make_frame(header, encode_hello(greeting)), 0);
    if (!greeting.failure.empty()) std::exit(1);
    box_.note(black_box::stage::ready);
  }

  // Without its host, or when a task has closed the descriptor, there is nothing to live for.
  void send(std::span<const std::byte> frame, int exit_code_when_gone) {
    try {
      channel_.send(frame);
    } catch (const std::system_error&) {
      std::_Exit(exit_code_when_gone);
    }
  }

  void run(wire::worker_lane::call& call) {
    const wire::lane_message& message = call.message;
    if (message.place == wire::body_place::message) {
      const auto frame = channel_.receive();
      if (!frame) std::exit(0);  // the host has ended
      call.body = frame->body;
    }
    const std::size_t name_size = call.unreadable ? 0 : message.name_size;
    const auto body = call.body.first(call.body.size() - name_size);
    const auto name = call.body.last(name_size);
    set_process_task({reinterpret_cast<const char*>(name.data()), name.size()}, message.number);
    marks_.begin(message.number, {reinterpret_cast<const char*>(name.data()), name.size()});
    call_ = call.number;
    const auto begun = std::chrono::steady_clock::now();
    const bool measured = (message.flags & wire::wants_cpu) != 0;
    const auto cpu_before = measured ? os::process_cpu_time() : std::chrono::nanoseconds{};

    wire::lane_message answer;
    codec::writer out(lane_, bounds_);
    answer.kind = call_thunk(call, body, out);
    // A task that forked and came back in the child too: only the worker itself may answer.
    if (!mark_.is_original()) std::_Exit(0);
    marks_.end();

    if (measured) {
      answer.number = static_cast<std::uint64_t>((os::process_cpu_time() - cpu_before).count());
    }
    set_process_task({}, 0);
    const auto took = std::chrono::nanoseconds(std::chrono::steady_clock::now() - begun).count();
    answer.flags = static_cast<std::uint32_t>(
        std::min<std::int64_t>(took, std::numeric_limits<std::uint32_t>::max()));
    give(answer, out.bytes());
  }

  void give(const wire::lane_message& answer, std::span<const std::byte> body) {
    const wire::worker_lane::told told = lane_.answer(answer, body);
    if (told.lost) std::_Exit(exit_code_lane_lost);
    if (told.sends_body || told.wants_message) {
      wire::frame_header header;
      header.call = call_;
      header.kind = told.sends_body ? wire::frame_kind::answer : wire::frame_kind::look;
      header.body_size = told.sends_body ? body.size() : 0;
      send(std::as_bytes(std::span(&header, 1)), exit_code_without_channel);
      if (told.sends_body) send(body, exit_code_without_channel);
    }
    // Condemned: the signal is on its way, and no other task may be hit by it.
    if (told.last) {
      while (const auto frame = channel_.receive()) {
      }
      std::exit(0);
    }
  }

  wire::message_kind call_thunk(const wire::worker_lane::call& call,
                                std::span<const std::byte> body, codec::writer& out) {
    const bool takes_stop = (call.message.flags & wire::takes_stop) != 0;
    std::exception_ptr failure;
    try {
      if (call.unreadable) throw std::bad_alloc();
      if (takes_stop) stop_ = stops_.begin_call(call_);
      codec::reader in(body, {.about_to_fill = os::about_to_fill});
      const auto thunk = reinterpret_cast<remote_thunk>(const_cast<void*>(read_code_address(in)));
      thunk(in, out, *this);
    } catch (...) {
      failure = std::current_exception();
    }
    stop_ = {};
    if (takes_stop) stops_.end_call();
    if (!failure) return wire::message_kind::result;
    write_failure(out, failure);
    return wire::message_kind::exception;
  }

  void write_failure(codec::writer& out, const std::exception_ptr& failure) {
    out = codec::writer(lane_, bounds_);  // what was written may be as much as the bounds allow
    try {
      codec::encode_exception(out, failure);
    } catch (...) {
      out.truncate(0);
      codec::encode_exception(out, std::make_exception_ptr(codec_error(
                                       "the exception that the task threw cannot be encoded")));
    }
  }

  wire::channel channel_;
  wire::worker_lane lane_;
  black_box box_;
  output_marks marks_;
  codec::limits bounds_;
  stop_listener stops_;
  lazy_runtime runtime_;
  int pid_;
  os::fork_mark mark_;
  std::uint64_t call_ = 0;
  std::stop_token stop_;
};

}  // namespace

void run_worker(inheritance inherited, make_local_runtime make) {
  const os::lifeline_hold hold = settle_under_supervisor(inherited);
  allow_children(false);  // where a process with children was forked
  {
    worker self(std::move(inherited), make);
    self.serve();
  }
  std::exit(0);
}

}  // namespace brigade::detail
