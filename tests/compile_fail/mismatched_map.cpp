// The same refusal for map.
// error: brigade: the callable cannot be called with these arguments
#include <brigade/work/map.hpp>

int add(int a, int b) { return a + b; }

void use(brigade::submitter& rt, const std::vector<int>& numbers) {
  auto sums = rt.map(brigade::threads, add, numbers);
}
