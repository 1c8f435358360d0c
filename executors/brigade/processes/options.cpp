#include <brigade/processes/options.hpp>

#include <stdexcept>

#include <brigade/base/nearest.hpp>

namespace brigade {
namespace {

constexpr std::array<std::string_view, all_start_methods.size()> names{"forkserver", "spawn",
                                                                       "fork"};

}  // namespace

std::string_view to_string(start_method how) noexcept {
  return names[static_cast<std::size_t>(how)];
}

std::span<const start_method> start_methods() noexcept { return all_start_methods; }

start_method parse_start_method(std::string_view name) {
  for (const start_method how : all_start_methods) {
    if (to_string(how) == name) return how;
  }
  throw std::invalid_argument("start method " + not_one_of(name, names));
}

}  // namespace brigade
