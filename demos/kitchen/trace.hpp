// The report as a Chrome trace, which ui.perfetto.dev and chrome://tracing open.
//
// Each kitchen is a process of the trace and each chef a thread of it, numbered by us, all starting
// at time 0, so that kitchens stand below each other; the true ids are arguments of the dishes.
// Hands at work are complete events on the chef's line. Dishes and their waits, of which one chef
// may have thousands at once, are async events.
#pragma once

#include <string>

#include "kitchen/report.hpp"

namespace kitchen {

[[nodiscard]] std::string chrome_trace(const report& all);

}  // namespace kitchen
