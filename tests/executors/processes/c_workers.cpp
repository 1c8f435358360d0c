// The workers of a plug-in: a program that does nothing else.
#include <brigade/runtime/init.hpp>

int main(int argc, char** argv) {
  brigade::init(argc, argv);
  return 1;
}
