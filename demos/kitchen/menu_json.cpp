#include "kitchen/menu_json.hpp"

#include <cstddef>
#include <set>
#include <utility>
#include <vector>

#include "kitchen/problem.hpp"

namespace kitchen {
namespace {

using nlohmann::json;
using event_kind = json::parse_event_t;

constexpr std::size_t deepest = 32;  // a menu has three levels

// Goes along with the parser.
class guard {
 public:
  explicit guard(const std::string& place) : place_(place) {}

  void operator()(event_kind event, const json& text) {
    switch (event) {
      case event_kind::object_start:
      case event_kind::array_start:
        enter(event == event_kind::array_start);
        return;
      case event_kind::key:
        take_key(text.get<std::string>());
        return;
      case event_kind::object_end:
      case event_kind::array_end:
        open_.pop_back();
        break;
      case event_kind::value:
        break;
    }
    if (!open_.empty()) ++open_.back().element;
  }

 private:
  struct container {
    bool is_array;
    std::size_t element;  // of an array: where the parser is
    std::string key;      // of an object: the same
    std::set<std::string> keys;
  };

  void enter(bool array) {
    if (open_.size() == deepest) {
      throw bad_input(where() + ": nested more than " + std::to_string(deepest) +
                      " levels deep; a menu needs three");
    }
    open_.push_back({array, 0, {}, {}});
  }

  void take_key(std::string name) {
    container& object = open_.back();
    object.key.clear();
    if (!object.keys.insert(name).second) {
      throw bad_input(where() + ": key " + in_quotes(name) + " is given twice; keep one");
    }
    object.key = std::move(name);
  }

  // "menu.json: dishes[1]"
  [[nodiscard]] std::string where() const {
    std::string path;
    for (const container& each : open_) {
      if (each.is_array) {
        path += '[' + std::to_string(each.element) + ']';
      } else if (!each.key.empty()) {
        path += (path.empty() ? "" : ".") + each.key;
      }
    }
    return path.empty() ? place_ : place_ + ": " + one_line(path);
  }

  const std::string& place_;
  std::vector<container> open_;
};

}  // namespace

json parse_menu_json(std::string_view text, const std::string& place) {
  if (text.find_first_not_of(" \t\r\n") == text.npos) {
    throw bad_input(place + ": not JSON: it is empty");
  }
  guard watching(place);
  try {
    return json::parse(text, [&](int, event_kind event, json& value) {
      watching(event, value);
      return true;
    });
  } catch (const json::exception& wrong) {
    // "[json.exception.parse_error.101] parse error at line 1, column 2: ..." without the tag
    std::string what = wrong.what();
    if (const auto end = what.find("] "); end != std::string::npos) what.erase(0, end + 2);
    throw bad_input(place + ": not JSON: " + one_line(what));
  }
}

}  // namespace kitchen
