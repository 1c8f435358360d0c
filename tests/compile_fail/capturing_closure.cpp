// A closure with captures does not travel, however trivially it can be copied.
// error: brigade: this callable, argument or result cannot travel to a process
// note: send_closure
#include <brigade/work/submit.hpp>

void use(brigade::submitter& rt, int offset) {
  auto sum = rt.submit(brigade::processes, [&](int x) { return x + offset; }, 3);
}
