// An owning pointer cannot come back.
// error: unique_ptr
#include <brigade/work/submit.hpp>

#include <memory>

std::unique_ptr<int> make() { return nullptr; }

void use(brigade::submitter& rt) { auto result = rt.submit(brigade::processes, make); }
