// A library that os_peer loads with dlopen.
extern "C" int plugin_function(int x) { return x + 1000; }
