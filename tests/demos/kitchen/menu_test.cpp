#include "kitchen/menu.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "expect_problem.hpp"

using namespace kitchen;
using kitchen::testing::problem_of;

namespace {

menu parsed(const std::string& json) { return parse_menu(json, "m", "m.json"); }
std::string refusal(const std::string& json) {
  return problem_of([&] { static_cast<void>(parsed(json)); });
}
std::string load_refusal(const std::string& word) {
  return problem_of([&] { static_cast<void>(load_menu(word, "--menu")); });
}
// One dish that is right but for `fields`.
std::string with(const std::string& fields) {
  return R"({"dishes": [{"name": "soup"}, {"name": "rice", )" + fields + "}]}";
}

}  // namespace

TEST_CASE("a menu file gives every field of a dish") {
  const menu made = parsed(R"({"dishes": [{"name": "soup", "wait_ms": 200, "replies": 2,
      "file_kib": 64, "files": 8, "cpu_ms": 5.5, "executor": "loop"}]})");
  REQUIRE(made.dishes.size() == 1);
  const dish& soup = made.dishes[0];
  CHECK(soup.name == "soup");
  CHECK(soup.wait_ms == 200);
  CHECK(soup.replies == 2);
  CHECK(soup.file_kib == 64);
  CHECK(soup.files == 8);
  CHECK(soup.cpu_ms == 5.5);
  CHECK(soup.executor == brigade::executor_kind::loop);
  CHECK(described(soup) == "soup: 2 replies of 200 ms, 8 files of 64 KiB, 5.5 ms CPU, on loop");
}

TEST_CASE("everything but the name is optional") {
  const menu made = parsed(R"({"dishes": [{"name": "air"}]})");
  CHECK(made.dishes[0].wait_ms == 0);
  CHECK_FALSE(made.dishes[0].executor.has_value());
  const menu_needs needs = needs_of(made);
  CHECK_FALSE((needs.replies || needs.files || needs.cpu || needs.choices));
}

TEST_CASE("a file size means one file, a count of files means small ones") {
  CHECK(parsed(with(R"("file_kib": 8)")).dishes[1].files == 1);
  CHECK(parsed(with(R"("files": 3)")).dishes[1].file_kib == 4);
  CHECK(parsed(with(R"("files": 3, "file_kib": 0)")).dishes[1].file_kib == 0);
}

TEST_CASE("the shipped menus can be read and are what they are called") {
  for (const std::string_view name : shipped_menu_names()) {
    const menu made = load_menu(std::string(name), "--menu");
    CHECK(made.dishes.size() == 10);
    CHECK_FALSE(shipped_menu_summary(name).empty());
  }
  const auto needs = [](const char* name) { return needs_of(load_menu(name, "--menu")); };
  CHECK((needs("slow").replies && !needs("slow").files && !needs("slow").cpu));
  CHECK((needs("fast").files && !needs("fast").replies && !needs("fast").cpu));
  CHECK((needs("cpu").cpu && !needs("cpu").files && !needs("cpu").replies));
  const menu_needs mixed = needs("mixed");
  CHECK((mixed.files && mixed.replies && mixed.cpu && mixed.choices));
  CHECK_FALSE(needs("slow").choices);
}

TEST_CASE("what is not JSON is refused with its place") {
  CHECK(refusal("") == "m.json: not JSON: it is empty");
  CHECK(refusal(" \n") == "m.json: not JSON: it is empty");
  CHECK(refusal("{") ==
        "m.json: not JSON: parse error at line 1, column 2: syntax error while parsing object key "
        "- unexpected end of input; expected string literal");
  CHECK(refusal("{\"dishes\": [\n{]}").find("line 2, column 2") != std::string::npos);
  CHECK(refusal("{\"dishes\": [{\"name\": \"\xff\"}]}").find("not JSON") != std::string::npos);
  CHECK(refusal("{\"dishes\": [1e999]}").find("number overflow") != std::string::npos);
}

TEST_CASE("what is nested too deeply is refused with its place") {
  constexpr std::size_t many = 200'000;
  const std::string deep = std::string(many, '[') + std::string(many, ']');
  CHECK(refusal(deep).ends_with(": nested more than 32 levels deep; a menu needs three"));
  CHECK(refusal(std::string(many, '[')).find("nested more than 32") != std::string::npos);
  CHECK(
      refusal(R"({"dishes": [{"name": )" + deep + "}]}").starts_with("m.json: dishes[0].name[0]"));
  CHECK(refusal(with("\"files\": " + deep)).starts_with("m.json: dishes[1].files[0]"));
  const std::string in_bounds = std::string(32, '[') + std::string(32, ']');
  CHECK(refusal(in_bounds).find("is not a menu") != std::string::npos);
  std::string objects;
  for (std::size_t i = 0; i < many; ++i)
    objects += R"({"a":)";
  CHECK(refusal(objects).starts_with("m.json: a.a.a"));
}

TEST_CASE("a key that is given twice is refused with its place") {
  CHECK(refusal(with(R"("cpu_ms": 1, "cpu_ms": 2)")) ==
        "m.json: dishes[1]: key 'cpu_ms' is given twice; keep one");
  CHECK(refusal(with(R"("name": "bread")")) ==
        "m.json: dishes[1]: key 'name' is given twice; keep one");
  CHECK(refusal(R"({"dishes": [{"name": "soup"}], "dishes": []})") ==
        "m.json: key 'dishes' is given twice; keep one");
  CHECK(refusal(R"({"dishes": [{"name": {"a": [1, {}, [], {"b": 1, "b": 2}]}}]})") ==
        "m.json: dishes[0].name.a[3]: key 'b' is given twice; keep one");
  CHECK(refusal(R"({"dishes": [{"a\nb": 1, "a\u000ab": 2}]})") ==
        R"(m.json: dishes[0]: key 'a\x0ab' is given twice; keep one)");
  CHECK(refusal(R"({"dishes": [{"name": "soup"}, {"name": "soup"}]})").empty());
}

TEST_CASE("what is JSON but no menu is refused") {
  CHECK(refusal("[1]") == R"(m.json: [1] is not a menu; give an object like {"dishes": [...]})");
  CHECK(refusal("{}") == R"(m.json: it has no "dishes"; add "dishes": [...])");
  CHECK(refusal(R"({"dishes": 3})") ==
        R"(m.json: dishes: 3 is not a list; give [{"name": "soup"}])");
  CHECK(refusal(R"({"dishes": []})") == "m.json: dishes: the menu has no dish; add at least one");
  CHECK(refusal(R"({"dishes": ["soup"]})") ==
        R"(m.json: dishes[0]: "soup" is not a dish; give an object like {"name": "soup"})");
  CHECK(refusal(R"({"dihses": [], "dishes": []})") ==
        R"(m.json: key 'dihses' is unknown; a menu has "dishes")");
}

TEST_CASE("a wrong value is refused with place, value and cure") {
  CHECK(refusal(with(R"("wait_ms": "long")")) ==
        R"(m.json: dishes[1].wait_ms: "long" is not a number; give milliseconds)");
  CHECK(refusal(with(R"("wait_ms": -5)")) ==
        "m.json: dishes[1].wait_ms: -5 is negative; give milliseconds from 0");
  CHECK(refusal(with(R"("cpu_ms": 1e12)")) ==
        "m.json: dishes[1].cpu_ms: 1000000000000.0 is too much; give at most 3600000 (an hour)");
  CHECK(refusal(with(R"("replies": 1.5)")) ==
        "m.json: dishes[1].replies: 1.5 is not a whole number; give a whole number from 0 to 1000");
  CHECK(refusal(with(R"("replies": -1)")) ==
        "m.json: dishes[1].replies: -1 is negative; give a whole number from 0 to 1000");
  CHECK(refusal(with(R"("files": 18446744073709551615)")) ==
        "m.json: dishes[1].files: 18446744073709551615 is too much; give a whole number from 0 to "
        "10000");
  CHECK(refusal(with(R"("file_kib": null)")) ==
        "m.json: dishes[1].file_kib: null is not a whole number; give a whole number from 0 to "
        "16384");
  CHECK(refusal(with(R"("executor": "lopo")")) ==
        "m.json: dishes[1].executor: 'lopo' is not one of loop, threads, processes. Did you mean "
        "'loop'?");
  CHECK(refusal(with(R"("executor": 1)")) ==
        "m.json: dishes[1].executor: 1 is not a text; name an executor");
  CHECK(refusal(with(R"("wiat_ms": 3)")) ==
        "m.json: dishes[1]: key 'wiat_ms' is not one of name, wait_ms, replies, file_kib, files, "
        "cpu_ms, executor. Did you mean 'wait_ms'?");
}

TEST_CASE("a dish needs a name that can be printed") {
  CHECK(refusal(R"({"dishes": [{}]})") ==
        R"(m.json: dishes[0]: it has no name; add "name": "...")");
  CHECK(refusal(R"({"dishes": [{"name": ""}]})") ==
        "m.json: dishes[0].name: the name is empty; give the dish a name");
  CHECK(refusal(R"({"dishes": [{"name": 7}]})") ==
        "m.json: dishes[0].name: 7 is not a text; give the dish a name");
  CHECK(refusal(R"({"dishes": [{"name": "a\nb"}]})") ==
        R"(m.json: dishes[0].name: 'a\x0ab' has a control character; use printable ones)");
  CHECK(refusal(R"({"dishes": [{"name": ")" + std::string(300, 'x') + R"("}]})").size() < 300);
}

TEST_CASE("an unknown menu is refused with the nearest name") {
  CHECK(load_refusal("slwo") ==
        "--menu: 'slwo' is not one of slow, fast, cpu, mixed. Did you mean 'slow'? Or give the "
        "path of a menu file.");
}

TEST_CASE("an unreadable menu file is refused with the reason") {
  CHECK(load_refusal("/no/such/menu.json") ==
        "--menu: cannot read '/no/such/menu.json': No such file or directory; give a readable file "
        "or one of slow, fast, cpu, mixed");
  CHECK(load_refusal("/").find("is a directory") != std::string::npos);
  if (::geteuid() == 0) return;  // nothing is unreadable for root
  const std::string path = "unreadable-menu.json";
  std::ofstream(path) << "{}";
  ::chmod(path.c_str(), 0);
  CHECK(load_refusal("./" + path).find("Permission denied") != std::string::npos);
  ::unlink(path.c_str());
}

TEST_CASE("a file without end is refused") {
  CHECK(load_refusal("/dev/zero").find("larger than 16 MiB") != std::string::npos);
}

TEST_CASE("a menu is repeated to the number of dishes, and cut") {
  const menu once = parsed(R"({"dishes": [{"name": "a"}, {"name": "b"}, {"name": "c"}]})");
  const menu five = repeated(once, 5);
  REQUIRE(five.dishes.size() == 5);
  CHECK(five.dishes[3].name == "a");
  CHECK(five.dishes[4].name == "b");
  CHECK(repeated(once, 2).dishes.size() == 2);
}

TEST_CASE("a choice goes to every dish of that name") {
  menu all = parsed(R"({"dishes": [{"name": "a:b"}, {"name": "c"}, {"name": "a:b"}]})");
  choose_executor(all, "a:b:threads", "--dish");
  CHECK(all.dishes[0].executor == brigade::executor_kind::threads);
  CHECK_FALSE(all.dishes[1].executor.has_value());
  CHECK(all.dishes[2].executor == brigade::executor_kind::threads);
  CHECK(needs_of(all).choices);
}

TEST_CASE("a wrong choice is refused") {
  menu all = parsed(R"({"dishes": [{"name": "soup"}, {"name": "rice"}]})");
  const auto choice = [&](const char* word) {
    return problem_of([&] { choose_executor(all, word, "--dish"); });
  };
  CHECK(choice("soup") == "--dish: 'soup' names no executor; write NAME:EXECUTOR, like soup:loop");
  CHECK(choice(":loop") ==
        "--dish: ':loop' names no executor; write NAME:EXECUTOR, like soup:loop");
  CHECK(choice("soop:loop") ==
        "--dish: dish 'soop' is not one of soup, rice. Did you mean 'soup'?");
  CHECK(choice("soup:serial") ==
        "--dish 'soup:serial': 'serial' is not one of loop, threads, processes.");
  menu many;
  for (int i = 0; i < 100; ++i)
    many.dishes.push_back({.name = "dish" + std::to_string(i)});
  CHECK(problem_of([&] { choose_executor(many, "dsh7:loop", "--dish"); }) ==
        "--dish: dish 'dsh7' is not a dish of this menu. Did you mean 'dish7'?");
}
