// A class with a constructor and private members needs a coder.
// error: brigade: this callable, argument or result cannot travel to a process
// note: specialise brigade::codec::coder
// note: money
#include <brigade/work/submit.hpp>

class money {
 public:
  explicit money(int cents) : cents_(cents) {}
  int cents() const { return cents_; }

 private:
  int cents_;
};

int cents_of(const money& value) { return value.cents(); }

void use(brigade::submitter& rt) {
  int cents = rt.submit(brigade::processes, cents_of, money(5)).get();
}
