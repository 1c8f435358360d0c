#include "kitchen/gantt.hpp"

#include <doctest/doctest.h>

using namespace kitchen;
using part = span_record::part;

namespace {

dish_record dish_at(const char* name, unsigned chef, std::vector<span_record> parts) {
  dish_record made;
  made.name = name;
  made.executor = "loop";
  made.chef = chef;
  made.start_s = parts.front().start_s;
  made.end_s = parts.back().end_s;
  made.parts = std::move(parts);
  return made;
}

kitchen_record kitchen_of(double wall_s, std::vector<dish_record> dishes) {
  kitchen_record made;
  made.which = kind::loop;
  made.median.wall_s = wall_s;
  made.median.dishes = std::move(dishes);
  return made;
}

}  // namespace

TEST_CASE("a line shows name, chef, oven and busy hands to scale") {
  const auto made = kitchen_of(
      1.0, {dish_at("rice", 1, {{part::cpu, 0.5, 1.0, true}}),
            dish_at("soup", 0, {{part::reply, 0, 0.5, false}, {part::cpu, 0.5, 0.8, true}})});
  CHECK(gantt(made, 10) ==
        "  rice  chef 1   |     #####|\n"
        "  soup  chef 0   |-----###  |\n");
}

TEST_CASE("what is too short for a column has one, and busy hands are not hidden") {
  const auto made = kitchen_of(
      1.0, {dish_at("tea", 0, {{part::cpu, 0.0, 0.0001, true}, {part::timer, 0.0001, 1.0, false}}),
            dish_at("end", 0, {{part::cpu, 1.0, 1.0, true}})});
  CHECK(gantt(made, 4) ==
        "  tea  chef 0   |#---|\n"
        "  end  chef 0   |   #|\n");
}

TEST_CASE("of many dishes some are shown, from all of them") {
  std::vector<dish_record> dishes;
  const std::vector<std::string> names{"a", "b", "c", "d", "e", "f"};
  for (const std::string& name : names) {
    dishes.push_back(dish_at(name.c_str(), 0, {{part::cpu, 0, 1, true}}));
  }
  CHECK(gantt(kitchen_of(1, std::move(dishes)), 2, 3) ==
        "  a  chef 0   |##|\n"
        "  c  chef 0   |##|\n"
        "  e  chef 0   |##|\n"
        "  (3 of 6 dishes, picked evenly)\n");
}

TEST_CASE("names in other scripts are aligned, and no time is no crash") {
  const auto made = kitchen_of(0, {dish_at("crème", 0, {{part::cpu, 0, 0, true}}),
                                   dish_at("ab", 0, {{part::cpu, 0, 0, true}})});
  CHECK(gantt(made, 3) ==
        "  crème  chef 0   |#  |\n"
        "  ab     chef 0   |#  |\n");
}

TEST_CASE("the mixed kitchen names the executor of a dish") {
  auto made = kitchen_of(1, {dish_at("soup", 0, {{part::cpu, 0, 1, true}})});
  made.which = kind::mixed;
  CHECK(gantt(made, 4) == "  soup  loop       chef 0   |####|\n");
}
