// A coroutine's task is not what is submitted: its function and arguments are.
// error: of a coroutine pass the function and its arguments, not its task
#include <brigade/work/submit.hpp>

brigade::task<int> twice(int x) { co_return 2 * x; }

void use(brigade::submitter& rt) { auto four = rt.submit(brigade::loop, twice(2)); }
