#include <brigade/os/system_failure.hpp>

namespace brigade::os {

void throw_system_failure(int code, std::string_view call, std::string_view on) {
  std::string text(call);
  if (!on.empty()) {
    text += " of ";
    text += on;
  }
  throw std::system_error(code, std::generic_category(), text);
}

}  // namespace brigade::os
