#include <brigade/processes/inheritance.hpp>

#include <csignal>
#include <cstdlib>

#include <brigade/os/process.hpp>
#include <brigade/os/signal.hpp>

namespace brigade::detail {

os::lifeline_hold settle_under_supervisor(inheritance& inherited) {
  os::reset_signals();
  os::ignore_signal(SIGINT);  // Ctrl-C is the host's business
  if (!os::set_parent_death_signal(SIGKILL, inherited.parent)) std::_Exit(0);
  os::lifeline_hold hold(inherited.lifeline.get());
  inherited.lifeline.reset();
  return hold;
}

}  // namespace brigade::detail
