#include <brigade/base/executor_kind.hpp>

#include <stdexcept>

#include <brigade/base/nearest.hpp>

namespace brigade {
namespace {

constexpr std::array<std::string_view, all_executors.size()> names{"loop", "threads", "processes"};

}  // namespace

std::string_view to_string(executor_kind kind) noexcept { return names[index_of(kind)]; }

executor_kind parse_executor(std::string_view name) {
  for (const executor_kind kind : all_executors) {
    if (to_string(kind) == name) return kind;
  }
  throw std::invalid_argument("executor " + not_one_of(name, names));
}

}  // namespace brigade
