#include "kitchen/trace.hpp"

#include <doctest/doctest.h>

#include <map>
#include <nlohmann/json.hpp>

using namespace kitchen;
using nlohmann::json;
using part = span_record::part;

namespace {

report two_kitchens() {
  dish_record soup;
  soup.name = "soup";
  soup.executor = "loop";
  soup.pid = 100;
  soup.tid = 101;
  soup.end_s = 0.5;
  soup.outcome = "done";
  soup.parts = {{part::reply, 0.1, 0.4, false}, {part::cpu, 0.4, 0.5, true}};
  dish_record rice = soup;
  rice.name = "rice";
  rice.chef = 1;
  kitchen_record loop;
  loop.which = kind::loop;
  loop.median.dishes = {soup, rice};
  kitchen_record threads = loop;
  threads.which = kind::threads;
  report all;
  all.kitchens = {loop, threads};
  return all;
}

}  // namespace

TEST_CASE("ids are numbers and times microseconds") {
  const json trace = json::parse(chrome_trace(two_kitchens()));
  CHECK(trace["displayTimeUnit"] == "ms");
  for (const json& event : trace["traceEvents"]) {
    CHECK(event["pid"].is_number_unsigned());
    CHECK(event["tid"].is_number_unsigned());
    CHECK(event["name"].is_string());
    if (event["ph"] != "M") CHECK(event["ts"].is_number());
    if (event["ph"] == "X") {
      CHECK(event["ts"] == 400'000.0);
      CHECK(event["dur"] == 100'000.0);
    }
  }
}

TEST_CASE("waits are async pairs, hands at work are complete events") {
  const json trace = json::parse(chrome_trace(two_kitchens()));
  std::map<std::uint64_t, int> open;
  int complete = 0;
  int waits = 0;
  for (const json& event : trace["traceEvents"]) {
    const std::string phase = event["ph"];
    if (phase == "X") ++complete;
    if (phase == "b") ++open[event["id"].get<std::uint64_t>()];
    if (phase == "e") --open[event["id"].get<std::uint64_t>()];
    if (phase == "b" && event["name"].get<std::string>().ends_with(": reply")) ++waits;
  }
  CHECK(complete == 4);
  CHECK(waits == 4);
  CHECK(open.size() == 4);  // a dish has one id, also for its waits
  for (const auto& [id, count] : open)
    CHECK(count == 0);
}

TEST_CASE("kitchens and chefs are named once each") {
  const json trace = json::parse(chrome_trace(two_kitchens()));
  std::vector<std::string> names;
  for (const json& event : trace["traceEvents"]) {
    if (event["name"] == "process_name" || event["name"] == "thread_name") {
      names.push_back(event["args"]["name"]);
    }
  }
  CHECK(names == std::vector<std::string>{"loop kitchen", "chef 0 (loop)", "chef 1 (loop)",
                                          "threads kitchen", "chef 0 (loop)", "chef 1 (loop)"});
}
