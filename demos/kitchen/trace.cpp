#include "kitchen/trace.hpp"

#include <cmath>
#include <set>

#include "kitchen/json_report.hpp"

namespace kitchen {
namespace {

// Microseconds with nanoseconds behind the point, as the format wants them.
double microseconds(double seconds) { return std::round(seconds * 1e9) / 1e3; }

const char* part_name(span_record::part what) {
  switch (what) {
    case span_record::part::timer:
      return "timer";
    case span_record::part::reply:
      return "reply";
    case span_record::part::files:
      return "files";
    case span_record::part::cpu:
      return "cpu";
  }
  return "?";
}

class trace_writer {
 public:
  void add_kitchen(const kitchen_record& kitchen, int number) {
    pid_ = number;
    add({{"ph", "M"},
         {"name", "process_name"},
         {"pid", pid_},
         {"tid", 0},
         {"args", {{"name", std::string(to_string(kitchen.which)) + " kitchen"}}}});
    add({{"ph", "M"},
         {"name", "process_sort_index"},
         {"pid", pid_},
         {"tid", 0},
         {"args", {{"sort_index", number}}}});
    std::set<unsigned> named;
    for (const dish_record& dish : kitchen.median.dishes) {
      if (named.insert(dish.chef).second) add_chef(dish);
      add_dish(dish);
    }
  }

  [[nodiscard]] std::string text() {
    return json_text({{"displayTimeUnit", "ms"}, {"traceEvents", std::move(events_)}});
  }

 private:
  void add(ordered_json event) { events_.push_back(std::move(event)); }

  void add_chef(const dish_record& dish) {
    add({{"ph", "M"},
         {"name", "thread_name"},
         {"pid", pid_},
         {"tid", dish.chef + 1},
         {"args", {{"name", "chef " + std::to_string(dish.chef) + " (" + dish.executor + ")"}}}});
  }

  void add_dish(const dish_record& dish) {
    const std::uint64_t id = next_id_++;
    add_async(dish, id, dish.name, "dish", dish.start_s, dish.end_s,
              {{"pid", dish.pid},
               {"tid", dish.tid},
               {"queued_s", dish.queued_s},
               {"cpu_s", dish.cpu_s ? ordered_json(*dish.cpu_s) : ordered_json(nullptr)},
               {"outcome", dish.outcome}});
    for (const span_record& part : dish.parts) {
      const std::string name = dish.name + ": " + part_name(part.what);
      if (part.hands_busy) {
        add({{"ph", "X"},
             {"name", name},
             {"cat", "hands busy"},
             {"pid", pid_},
             {"tid", dish.chef + 1},
             {"ts", microseconds(part.start_s)},
             {"dur", microseconds(part.end_s - part.start_s)}});
      } else {
        add_async(dish, id, name, "dish", part.start_s, part.end_s, ordered_json::object());
      }
    }
  }

  // A pair of nestable async events; those of one dish share its id and so nest.
  void add_async(const dish_record& dish, std::uint64_t id, const std::string& name,
                 const char* category, double start_s, double end_s, ordered_json facts) {
    ordered_json begin = {{"ph", "b"},
                          {"name", name},
                          {"cat", category},
                          {"id", id},
                          {"pid", pid_},
                          {"tid", dish.chef + 1},
                          {"ts", microseconds(start_s)}};
    if (!facts.empty()) begin["args"] = std::move(facts);
    add(std::move(begin));
    add({{"ph", "e"},
         {"name", name},
         {"cat", category},
         {"id", id},
         {"pid", pid_},
         {"tid", dish.chef + 1},
         {"ts", microseconds(end_s)}});
  }

  ordered_json events_ = ordered_json::array();
  int pid_ = 0;
  std::uint64_t next_id_ = 1;
};

}  // namespace

std::string chrome_trace(const report& all) {
  trace_writer writer;
  int number = 1;
  for (const kitchen_record& each : all.kitchens)
    writer.add_kitchen(each, number++);
  return writer.text();
}

}  // namespace kitchen
