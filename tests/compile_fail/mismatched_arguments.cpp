// Default arguments are not filled in, and a reference is not bound to the caller's object.
// error: brigade: the callable cannot be called with these arguments: they are copied and passed
// note: std::ref
#include <brigade/work/submit.hpp>

int add_to(int& sum, int more) { return sum += more; }

void use(brigade::submitter& rt, int sum) {
  int result = rt.submit(brigade::threads, add_to, sum, 1).get();
}
