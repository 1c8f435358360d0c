// A library of which there are two builds.
int version();
int version() { return VERSION; }
