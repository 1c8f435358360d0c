// Where to run comes first.
// error: brigade: the first argument says where to run
#include <brigade/work/submit.hpp>

int square(int x) { return x * x; }

void use(brigade::submitter& rt) { auto result = rt.submit(square, 7); }
