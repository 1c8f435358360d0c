// A type's name as it is written in the source, for texts.
#pragma once

#include <string>
#include <typeinfo>

namespace brigade::codec {

// "my::parse_failure". Falls back to the mangled name.
[[nodiscard]] std::string type_name(const std::type_info& type);

}  // namespace brigade::codec
