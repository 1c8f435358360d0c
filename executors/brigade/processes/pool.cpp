// The conductor's work on supervisor and workers: start, end, replace.
#include <brigade/processes/conductor.hpp>

#include <algorithm>
#include <array>
#include <csignal>
#include <iterator>

#include <brigade/base/error.hpp>
#include <brigade/codec/codec.hpp>
#include <brigade/os/memfd.hpp>
#include <brigade/os/socket.hpp>
#include <brigade/processes/call_cargo.hpp>
#include <brigade/processes/failure.hpp>
#include <brigade/processes/poll_tokens.hpp>
#include <brigade/processes/reading_right.hpp>
#include <brigade/processes/worker_life.hpp>

namespace brigade::detail {
namespace {

constexpr std::chrono::milliseconds death_limit{1000};
// Between an order to end a worker and the report of its end.
constexpr std::chrono::milliseconds report_patience{1000};
constexpr unsigned most_presses = 20;
constexpr unsigned most_presses_at_end = 2;  // no task is there whose report could get lost

}  // namespace

unsigned conductor::living() const noexcept {
  return static_cast<unsigned>(std::ranges::count_if(slots_, [](const worker_slot& slot) {
    return slot.phase == worker_phase::ready || slot.phase == worker_phase::ending;
  }));
}

worker_info conductor::info_at(unsigned slot) const {
  worker_info info;
  info.executor = executor_kind::processes;
  info.index = slot;
  info.name = "brigade-w" + std::to_string(slot);
  return info;
}

worker_info conductor::info_of(const worker_slot& slot) const {
  worker_info info = info_at(slot.index);
  info.pid = slot.pid;
  info.tid = slot.pid;  // the main thread runs tasks
  info.start_method = to_string(slot.how);
  return info;
}

void conductor::tell(const std::function<void(const worker_info&)>& hook,
                     const worker_slot& slot) noexcept {
  if (!hook) return;
  try {
    hook(info_of(slot));
  } catch (...) {
    report_error(owner_->callbacks(), {}, std::current_exception());
  }
}

// --- start --------------------------------------------------------------------------------------

void conductor::start_supervisor() {
  try {
    oom_.count_in(oom_counters());  // the workers are to be in the group in which we are now
    link_.start(options_, supervisor_link::follows::thread, nursery_ ? &*nursery_ : nullptr);
    poll_->add(link_.get(), EPOLLIN, link_token);
    link_ready_before_ = clock::now() + options_.boot_limit;
  } catch (const std::exception& failure) {
    drop_supervisor({});
    boot_failed({std::string("the supervisor cannot be started: ") + failure.what()});
  }
}

void conductor::start_worker(worker_slot& slot) {
  try {
    os::socket_pair pair = os::make_socket_pair();
    os::unique_fd lane_fd;
    os::unique_fd answers_fd;
    auto lane = std::make_shared<wire::host_lane>(
        wire::host_lane::make(lane_fd, answers_fd, options_.max_message_bytes));
    lane->tell_me(wire::host_wait::by_message);
    wire::channel channel(std::move(pair.first));
    wire::frame_header header;
    const worker_setup setup = setup_of(options_, slot.index);
    channel.send(wire::make_frame(header, codec::to_bytes(setup)));  // fits into the socket
    os::unique_fd box_fd;
    black_box box = black_box::make(box_fd);
    std::vector<int> descriptors{pair.second.get(), lane_fd.get(), box_fd.get(), blocks_->file(),
                                 answers_fd.get()};
    if (setup.has_initializer) {
      if (!initializer_) {
        initializer_ = os::make_sealed_memfd("brigade-init", options_.initializer.bytes());
      }
      descriptors.push_back(initializer_.get());
    }
    output_reader::ends output;
    if (output_) {
      output = output_->open(info_at(slot.index), setup.output_mark);
      descriptors.push_back(output.out.get());
      descriptors.push_back(output.err.get());
    }
    detail::start_worker order{++last_worker_, slot.index};
    if (nursery_) order.environment = pool_variables(options_);  // its supervisor was not exec'd
    std::ranges::move(worker_variables(options_, slot.index),
                      std::back_inserter(order.environment));
    if (!link_.order(supervisor_order(order), descriptors))
      return;  // the end of the link will be heard
    poll_->add(channel.get(), EPOLLIN, first_worker_token + slot.index);
    const unsigned index = slot.index;
    const std::lock_guard lock(mutex_);
    slot = worker_slot{};
    slot.index = index;
    slot.phase = worker_phase::starting;
    slot.worker = last_worker_;
    slot.channel = std::move(channel);
    slot.lane = std::move(lane);
    slot.box = std::move(box);
    slot.act_at = clock::now() + options_.boot_limit;
  } catch (const std::exception& failure) {
    boot_failed({std::string("a worker process cannot be started: ") + failure.what()});
  }
}

// --- the supervisor -----------------------------------------------------------------------------

void conductor::on_link() {
  if (link_.phase() == supervisor_link::state::down) return;
  try {
    auto message = link_.receive();
    if (std::holds_alternative<supervisor_link::ended>(message)) {
      lose_supervisor();
    } else if (const auto* greeting = std::get_if<supervisor_link::greeted>(&message)) {
      if (greeting->objection.empty() && !greeting->failure) return;
      drop_supervisor({});
      if (greeting->failure) {
        give_up_starting({"the preload in the supervisor failed: " + text_of(greeting->failure)});
        return;
      }
      failures_.given_up = true;
      refuse_queued([&](const task_identity& task) {
        return std::make_exception_ptr(
            build_mismatch(describe(task) + " cannot run: " + greeting->objection, task));
      });
    } else {
      on_report(std::get<supervisor_link::reported>(std::move(message)));
    }
  } catch (const codec_error&) {
    lose_supervisor();  // it talks nonsense
  }
}

void conductor::on_report(supervisor_link::reported message) {
  const std::uint64_t worker =
      std::visit([](const auto& report) { return report.worker; }, message.report);
  const auto slot = std::ranges::find_if(slots_, [&](const worker_slot& each) {
    return each.phase != worker_phase::none && each.worker == worker;
  });
  if (slot == slots_.end()) return;
  if (const auto* started = std::get_if<worker_started>(&message.report)) {
    slot->pidfd = std::move(message.descriptor);
    {
      const std::lock_guard lock(mutex_);
      slot->pid = started->pid;
      slot->how = started->how;
    }
    if (slot->greeted) become_ready(*slot);
  } else if (const auto* ended = std::get_if<worker_ended>(&message.report)) {
    bury(*slot, {ended->exit_code, ended->signal});
  } else {
    {
      const std::lock_guard lock(mutex_);
      slot->phase = worker_phase::none;
    }
    close_channel(*slot);
    slot->act_at.reset();
    boot_failed({"a worker process cannot be started: " +
                 std::get<worker_not_started>(message.report).why});
  }
}

// It has said so, and is known well enough to be waited for.
void conductor::become_ready(worker_slot& slot) {
  if (!slot.channel_ended) slot.act_at.reset();
  slot.was_ready = true;
  owner_->count_worker(executor_kind::processes, false);
  note_idle(slot);
  {
    const std::lock_guard lock(mutex_);  // from now on workers() shows it
    if (slot.phase == worker_phase::starting) slot.phase = worker_phase::ready;
  }
  tell(owner_->callbacks().on_worker_start, slot);
}

void conductor::drop_supervisor(std::chrono::milliseconds grace) {
  if (link_.phase() != supervisor_link::state::down) {
    poll_->remove(link_.get());
    link_.end(grace);
  }
}

void conductor::lose_supervisor() {
  const bool was_up = link_.phase() == supervisor_link::state::up;
  poll_->remove(link_.get());
  const os::process_end end = link_.end(death_limit);
  // The kernel kills the workers with their parent: wait for it, so that all they said is here.
  const auto limit = clock::now() + death_limit;
  for (worker_slot& slot : slots_) {
    if (slot.phase == worker_phase::none) continue;
    if (slot.pidfd && !os::wait_readable(slot.pidfd.get(), limit)) {
      os::send_signal(slot.pidfd, SIGKILL);
      (void)os::wait_readable(slot.pidfd.get(), clock::now() + death_limit);
    }
    // Where orphans become the host's children (it is init of a container), the link has waited for
    // them, apart from those that it could not mark.
    if (slot.pidfd) (void)os::try_reap(slot.pidfd);
    bury(slot, {});
  }
  boot_failed({"the supervisor process " + describe(end) +
               (was_up ? std::string()
                       : " before main() had reached brigade::init(argc, argv), which must come "
                         "first")});
}

// --- ends ---------------------------------------------------------------------------------------

void conductor::want_end(worker_slot& slot, end_request how) {
  const std::lock_guard lock(mutex_);
  slot.wanted = std::max(slot.wanted, how);
}

void conductor::carry_out_requests() {
  for (worker_slot& slot : slots_) {
    end_request wanted = end_request::none;
    {
      const std::lock_guard lock(mutex_);
      if (slot.phase == worker_phase::none || slot.wanted <= slot.sent) continue;
      wanted = slot.wanted;
      slot.phase = worker_phase::ending;
      reclaim_all_lent(slot);
    }
    slot.sent = wanted;
    end_worker order;
    order.worker = slot.worker;
    order.terminate = wanted == end_request::terminate;
    const auto grace =
        wanted == end_request::kill ? std::chrono::milliseconds(0) : options_.kill_grace;
    order.grace_ms = static_cast<std::uint32_t>(grace.count());
    link_.order(order);
    slot.act_at = clock::now() + grace + report_patience;
  }
}

// Its end has been ordered and is not reported: somebody may have stopped the supervisor.
void conductor::press_for_end(worker_slot& slot) {
  link_.nudge();
  if (slot.pidfd) (void)os::send_signal(slot.pidfd, SIGKILL);
  bool stopping = false;
  {
    const std::lock_guard lock(mutex_);
    stopping = stopping_;
  }
  // Its end will be heard, and healed.
  if (++slot.presses >= (stopping ? most_presses_at_end : most_presses)) link_.kill();
  slot.act_at = clock::now() + report_patience;
}

void conductor::act_on_deadlines() {
  const auto now = clock::now();
  if (link_.phase() == supervisor_link::state::starting && now >= link_ready_before_) {
    drop_supervisor({});
    give_up_starting({"the supervisor process did not reach brigade::init(argc, argv) within " +
                      std::to_string(options_.boot_limit.count()) +
                      " ms; it must be the first line of main()"});
  }
  for (worker_slot& slot : slots_) {
    if (slot.act_at && now >= *slot.act_at) {
      slot.act_at.reset();
      if (slot.sent == end_request::kill) {
        press_for_end(slot);
      } else {
        want_end(slot, end_request::kill);
      }
    }
    const std::lock_guard lock(mutex_);
    if (slot.obey_before && now >= *slot.obey_before) {
      slot.obey_before.reset();
      if (slot.job == nullptr) continue;
      end_head(slot, slot.kill_disobedient ? end_request::kill : end_request::terminate);
    }
  }
}

void conductor::close_channel(worker_slot& slot) noexcept {
  if (!slot.channel) return;
  // Closing alone does not remove it while a forked process has a copy.
  if (!slot.channel_ended) poll_->remove(slot.channel.get());
  {
    const std::lock_guard lock(mutex_);
    slot.channel_ended = true;
    slot.unsent.clear();
  }
  if (slot.lane) slot.lane->close();
  slot.channel.close();
}

void conductor::bury(worker_slot& slot, const os::process_end& end) {
  if (!slot.channel_ended) receive(slot);  // what it said before it died counts
  const reading_right right(*this);
  read_answers();
  note_progress();
  {
    const std::lock_guard lock(mutex_);
    slot.phase = worker_phase::none;
    slot.wanted = end_request::none;
    slot.obey_before.reset();
  }
  // Before its task's future is ready, whose owner may look at the statistics.
  const bool lost = slot.was_ready && slot.sent == end_request::none;
  if (end.signal == SIGKILL && slot.sent == end_request::none) {
    slot.out_of_memory = oom_.take_kill(clock::now());
  }
  if (lost) owner_->count_worker(executor_kind::processes, true);
  if (slot.job != nullptr) {
    judge_death(slot, end);
  } else if (link_.phase() != supervisor_link::state::down) {
    if (!slot.was_ready && slot.sent != end_request::gently && !slot.worn_out) {
      const bool in_initializer = slot.box.reached() == black_box::stage::initializing;
      boot_failed(
          {(in_initializer ? "the initializer of a worker failed: process " : "a worker process ") +
               (in_initializer ? std::to_string(slot.pid) + " " : std::string()) + describe(end) +
               (in_initializer ? " in it" : " before it was ready"),
           in_initializer});
    } else if (lost) {
      idle_death(slot, end);
    }
  }
  close_channel(slot);
  if (slot.lane) {
    const std::lock_guard lock(mutex_);
    slot.lane->let_go_of_blocks();
  }
  slot.pidfd.reset();
  slot.act_at.reset();
  if (slot.was_ready) tell(owner_->callbacks().on_worker_stop, slot);
}

bool conductor::end_pool() {
  bool empty = true;
  for (worker_slot& slot : slots_) {
    if (slot.phase == worker_phase::none) continue;
    empty = false;
    if (slot.job == nullptr && slot.sent == end_request::none) retire(slot);
  }
  if (!empty) return false;
  const bool booting = link_.phase() == supervisor_link::state::starting;
  drop_supervisor(booting ? std::chrono::milliseconds(0) : options_.kill_grace);
  return true;
}

}  // namespace brigade::detail
