// The same refusal for a continuation.
// error: brigade: this callable, argument or result cannot travel to a process
#include <brigade/work/then.hpp>

void use(brigade::future<int> source, int offset) {
  auto sum = std::move(source).then(brigade::processes, [offset](int x) { return x + offset; });
}
