// What can be told of a worker's death.
#pragma once

#include <string>

#include <brigade/base/error.hpp>
#include <brigade/os/process.hpp>
#include <brigade/processes/worker_slot.hpp>

namespace brigade::detail {

// With what the worker's black box holds. Reads symbol tables: milliseconds.
[[nodiscard]] worker_death death_of(const worker_slot& slot, const os::process_end& end,
                                    bool started);

// "was killed by SIGSEGV at address 0x10 in chop(int) + 0x4 (kitchen), called by ...": the
// innermost place, and of those that led to it some of the program's own.
[[nodiscard]] std::string describe(const worker_death& death, const worker_slot& slot);

}  // namespace brigade::detail
