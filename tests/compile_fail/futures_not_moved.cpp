// Combinators take the futures over.
// error: brigade: when_all, when_any and gather take the futures over
#include <brigade/work/combine.hpp>

void use(brigade::future<int> a, brigade::future<int> b) {
  auto [x, y] = when_all(a, std::move(b)).get();
}
