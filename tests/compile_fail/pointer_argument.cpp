// A raw pointer means nothing in another process.
// error: brigade: this callable, argument or result cannot travel to a process
#include <brigade/work/submit.hpp>

int length(const int* values) { return *values; }

void use(brigade::submitter& rt, const int* values) {
  auto count = rt.submit(brigade::processes, length, values);
}
