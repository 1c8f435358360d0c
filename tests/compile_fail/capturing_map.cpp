// The same refusal for map.
// error: brigade: this callable, argument or result cannot travel to a process
#include <brigade/work/map.hpp>

void use(brigade::submitter& rt, const std::vector<int>& numbers, int offset) {
  auto sums = rt.map_async(brigade::processes, [offset](int x) { return x + offset; }, numbers);
}
