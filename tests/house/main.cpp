// What is linked into this program is what it tests: see meson.build.
int main() {}
