// A program in C that knows nothing of brigade but a plug-in that it loads. Prints what that says.
#include <dlfcn.h>
#include <stdio.h>

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  void* plugin = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
  if (plugin == NULL) {
    fprintf(stderr, "%s\n", dlerror());
    return 3;
  }
  int (*squares)(const char*, int) = NULL;
  int (*count)(const char*, int) = NULL;
  *(void**)&squares = dlsym(plugin, "sum_of_squares");  // as POSIX wants it
  *(void**)&count = dlsym(plugin, "count_in_a_process");
  if (squares == NULL || count == NULL) return 4;
  printf("%d\n", squares(argv[2], 5));
  printf("%d\n", count(argv[2], 4));
  return 0;
}
