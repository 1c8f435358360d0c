// main() of the test programs that start no executors.
#include "support/checks.hpp"
#include "support/minder.hpp"

int main(int argc, char** argv) {
  brigade::testing::mind(argv);
  return brigade::testing::run(argc, argv);
}
