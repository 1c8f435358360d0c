// The cures: pass it as an argument, or say that copying its bytes is right.
// compiles
#include <brigade/codec/closure.hpp>
#include <brigade/work/submit.hpp>

void use(brigade::submitter& rt, int offset) {
  auto sum = rt.submit(brigade::processes, [](int x, int by) { return x + by; }, 3, offset);
  auto opted = rt.submit(brigade::processes,
                         brigade::send_closure([offset](int x) { return x + offset; }), 3);
}
