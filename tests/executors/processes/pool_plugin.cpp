// A library that a program loads while it runs, with functions and tasks of its own.
#include <brigade/runtime/runtime.hpp>
#include <brigade/work/submit.hpp>

extern "C" {
int (*plugin_function())(int);
void plugin_submit(brigade::runtime& rt, brigade::future<int>& submitted, int x);
}

int (*plugin_function())(int) {
  return [](int x) { return x + 1000; };
}

void plugin_submit(brigade::runtime& rt, brigade::future<int>& submitted, int x) {
  submitted = rt.submit(brigade::processes, [](int y) { return y * 3; }, x);
}
