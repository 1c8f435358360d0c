// Which contestant fits, how sure that is, and why: from the measured figures alone.
//
// The fastest by median is compared with each other one round by round. It fits when every other
// one is slower beyond doubt; otherwise the answer is "too close to call", and the one of those
// that were not told apart that takes the least CPU (then memory) is named as the sensible choice.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include <brigade/measure/measurement.hpp>

namespace brigade::measure {

// What the tasks did when they ran one after another: measured, not declared.
struct serial_profile {
  double cpu_s = 0;     // on a CPU, summed over the tasks
  double waited_s = 0;  // not on a CPU while they ran
};

struct verdict_rules {
  // A smaller advantage is not worth a choice.
  double smallest_effect = 0.02;
  // What is estimated to be slower by more is not the sensible choice, however cheap, even where
  // too few or too noisy rounds cannot prove it.
  double largest_sensible_loss = 0.1;
  // Below five rounds no interval means much: then all rounds must agree, by at least this much.
  double effect_in_few_rounds = 0.25;
};

inline constexpr const char* too_close_to_call = "too close to call";

struct verdict {
  std::string fits;      // a name or "too close to call"; empty when nothing was measured
  std::string sensible;  // the same name, or the cheapest of those that were not told apart
  std::vector<std::string> why = {};  // two or three sentences
};

// Without a profile the CPU and wall time of the contestant "serial" stand for it, if there is one.
[[nodiscard]] verdict judge(std::span<const measurement> contestants,
                            std::optional<serial_profile> profile = std::nullopt,
                            const verdict_rules& rules = {});

// "Fits: loop", and the sentences below it, as lines.
[[nodiscard]] std::string to_text(const verdict& verdict);

}  // namespace brigade::measure
