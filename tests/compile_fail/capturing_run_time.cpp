// Chosen at run time, anything compiles: what cannot travel is refused when processes are chosen.
// compiles
#include <brigade/work/map.hpp>
#include <brigade/work/then.hpp>

void use(brigade::submitter& rt, brigade::executor_kind where, int offset, const int* p) {
  auto a = rt.submit(where, [&offset](int x) { return x + offset; }, 3);
  auto b = rt.submit({.on = where}, [p] { return p; });
  auto c = rt.map_async(where, [offset](int x) { return x + offset; }, std::vector<int>{1});
  auto d = std::move(a).then(where, [offset](int x) { return x + offset; });
  auto e = rt.submit(brigade::threads, [p] { return p; });
}
