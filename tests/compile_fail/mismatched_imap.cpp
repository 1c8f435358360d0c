// The same refusal for imap.
// error: brigade: the callable cannot be called with these arguments
#include <brigade/work/map.hpp>

int add(int a, int b) { return a + b; }

void use(brigade::submitter& rt, const std::vector<int>& numbers) {
  auto sums = rt.imap(brigade::threads, add, numbers);
}
