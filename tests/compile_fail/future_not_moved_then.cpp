// A continuation takes the future over.
// error: brigade: then() takes the future over: write std::move(f).then(...)
#include <brigade/work/then.hpp>

void use(brigade::future<int> source) {
  int twice = source.then(brigade::threads, [](int x) { return 2 * x; }).get();
}
