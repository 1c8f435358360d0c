// The report as JSON, schema "brigade.kitchen/1": seconds, bytes and counts; null is not measured.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "kitchen/report.hpp"

namespace kitchen {

// Keeps its keys in the order they were set.
using ordered_json = nlohmann::ordered_json;

[[nodiscard]] ordered_json host_json(const host_facts& host);
[[nodiscard]] std::string report_json(const report& all);

// One line of text per value, for a whole document; ends with a newline.
[[nodiscard]] std::string json_text(const ordered_json& document);

}  // namespace kitchen
