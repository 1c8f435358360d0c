// main() of the test programs that start executors: in a worker process init() never returns.
#include "support/checks.hpp"
#include "support/minder.hpp"

#if __has_include(<brigade/runtime/init.hpp>)
#include <brigade/runtime/init.hpp>
#define HAS_INIT 1
#endif

int main(int argc, char** argv) {
  brigade::testing::mind(argv);
#ifdef HAS_INIT
  brigade::init(argc, argv);
#endif
  return brigade::testing::run(argc, argv);
}
