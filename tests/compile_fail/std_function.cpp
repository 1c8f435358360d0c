// What a std::function holds is not known at compile time.
// error: brigade: this callable, argument or result cannot travel to a process
#include <brigade/work/submit.hpp>

#include <functional>

void use(brigade::submitter& rt, std::function<int()> work) {
  auto result = rt.submit(brigade::processes, work);
}
