// What a result's destructor throws, nobody could catch.
// error: destructor
#include <brigade/work/submit.hpp>

struct bomb {
  ~bomb() noexcept(false) {}
};
bomb make() { return {}; }

void use(brigade::submitter& rt) { auto result = rt.submit(brigade::threads, make); }
