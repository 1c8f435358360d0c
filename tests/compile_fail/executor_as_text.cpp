// A name is parsed first.
// error: brigade::parse_executor(name)
#include <brigade/work/submit.hpp>

int square(int x) { return x * x; }

void use(brigade::submitter& rt) { int result = rt.submit("loop", square, 7).get(); }
