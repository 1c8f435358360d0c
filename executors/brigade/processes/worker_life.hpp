// The life of a worker apart from its tasks: what the options of the pool mean for worker number
// `slot`, and what it makes of itself before its first call.
#pragma once

#include <string>
#include <vector>

#include <brigade/processes/black_box.hpp>
#include <brigade/processes/options.hpp>
#include <brigade/processes/protocol.hpp>
#include <brigade/work/transport.hpp>

namespace brigade::detail {

// --- in the host ---------------------------------------------------------------------------------
// Throws std::invalid_argument for what could never work.
void check_life(const processes_options& options);
[[nodiscard]] worker_setup setup_of(const processes_options& options, unsigned slot);
// As "NAME=value". Throws std::invalid_argument for what names no variable.
[[nodiscard]] std::vector<std::string> variables_of(const environment_list& list);
// What all workers have in addition to the environment of the host.
[[nodiscard]] std::vector<std::string> pool_variables(const processes_options& options);
// What that worker has in addition to those. Throws as variables_of(), and what the user's function
// throws.
[[nodiscard]] std::vector<std::string> worker_variables(const processes_options& options,
                                                        unsigned slot);

// --- in the worker -------------------------------------------------------------------------------
// `initializer` is the descriptor with its bytes, if there is one. Throws std::system_error, and
// what the initializer throws.
void settle_in(const worker_setup& setup, int initializer, const black_box& box, remote_host& host);

}  // namespace brigade::detail
