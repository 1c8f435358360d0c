// The report as text: who cooked what when, a table of figures, and which kitchen fits.
#pragma once

#include <string>

#include "kitchen/report.hpp"

namespace kitchen {

[[nodiscard]] std::string text_report(const report& all, bool colour);

}  // namespace kitchen
