// Reading the JSON of a menu more strictly than the parser does: what nlohmann::json lets pass, and
// what would go wrong later, is refused here with its place.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace kitchen {

// `place` opens every error. Throws `problem` (usage) for what is not JSON, is nested deeper than
// any menu (whoever prints such a value would overflow the stack), or has a key twice in one
// object.
[[nodiscard]] nlohmann::json parse_menu_json(std::string_view text, const std::string& place);

}  // namespace kitchen
