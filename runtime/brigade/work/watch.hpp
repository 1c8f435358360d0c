// Runs a small function when an outcome is ready. What combinators are made of.
#pragma once

#include <utility>

#include <brigade/work/job.hpp>
#include <brigade/work/job_state.hpp>

namespace brigade::detail {

// Calls act(state) once: here when it is ready already, else on the completing thread. `act` must
// be short and must not throw: it may submit and complete, never wait. Allocates one node.
template <class State, class Act>
void when_ready(job_ref<State> state, Act act) {
  struct node : continuation {
    node(job_ref<State> watched, Act what) : state(std::move(watched)), act(std::move(what)) {}
    job_ref<State> state;
    Act act;
  };
  auto* const watching = new node(std::move(state), std::move(act));
  watching->notify = [](continuation& self) noexcept {
    auto* const done = static_cast<node*>(&self);
    done->act(*done->state);
    delete done;
  };
  bool registered = false;
  try {
    registered = watching->state->set_continuation(*watching);
  } catch (...) {
    delete watching;
    throw;
  }
  if (!registered) watching->notify(*watching);
}

}  // namespace brigade::detail
