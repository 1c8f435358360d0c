#include <brigade/base/error.hpp>

namespace brigade {

std::string describe(const task_identity& task) {
  if (task.id == 0 && task.name.empty()) return "a task";
  std::string text = "task ";
  if (!task.name.empty()) {
    text += "'" + task.name + "'";
    if (task.id != 0) text += " (" + std::to_string(task.id) + ")";
  } else {
    text += std::to_string(task.id);
  }
  if (task.executor) {
    text += " on ";
    text += to_string(*task.executor);
  }
  return text;
}

}  // namespace brigade
