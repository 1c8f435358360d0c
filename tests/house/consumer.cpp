// Uses an installed brigade as little as can be.
#include <iostream>

#include <brigade/base/error.hpp>

int main() { std::cout << brigade::describe({"soup", 7, {}}) << '\n'; }
