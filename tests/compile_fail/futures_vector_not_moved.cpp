// So do they with a vector.
// error: brigade: when_all, when_any and gather take the futures over
#include <brigade/work/combine.hpp>

void use(std::vector<brigade::future<int>> all) { std::vector<int> values = when_all(all).get(); }
