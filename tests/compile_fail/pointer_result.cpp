// A pointer cannot come back either.
// error: brigade: this callable, argument or result cannot travel to a process
#include <brigade/work/submit.hpp>

int* make(int) { return nullptr; }

void use(brigade::submitter& rt) { auto result = rt.submit(brigade::processes, make, 1); }
