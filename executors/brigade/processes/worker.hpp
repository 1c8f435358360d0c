// What a worker process does: takes calls from the host, runs them on its main thread, one at a
// time, and sends back what they yield or throw, until the host closes the channel.
#pragma once

#include <brigade/processes/inheritance.hpp>

namespace brigade::detail {

[[noreturn]] void run_worker(inheritance inherited, make_local_runtime make);

}  // namespace brigade::detail
