#include <brigade/measure/verdict.hpp>

#include <algorithm>
#include <cmath>
#include <tuple>

#include <brigade/measure/format.hpp>
#include <brigade/measure/statistics.hpp>

namespace brigade::measure {
namespace {

constexpr int enough_rounds = 5;
constexpr double same_cost = 0.05;  // CPU time or memory that differs less is alike

struct rival {
  const measurement* who;
  run_figures figures;
  paired_ratio against_fastest;
};

bool clearly_slower(const paired_ratio& ratio, const verdict_rules& rules) {
  if (ratio.rounds >= enough_rounds) {
    return ratio.low > 1 && ratio.ratio >= 1 + rules.smallest_effect;
  }
  return ratio.rounds > 0 && ratio.low >= 1 + rules.effect_in_few_rounds;
}

bool alike(double a, double b) { return std::abs(a - b) <= same_cost * std::max(a, b); }

bool cheaper(const run_figures& a, const run_figures& b) {
  if (!alike(a.cpu_s, b.cpu_s)) return a.cpu_s < b.cpu_s;
  const auto memory_a = static_cast<double>(a.peak_pss_bytes);
  const auto memory_b = static_cast<double>(b.peak_pss_bytes);
  return !alike(memory_a, memory_b) && memory_a < memory_b;
}

std::string cost_of(const run_figures& figures) {
  return format_seconds(figures.cpu_s) + " of CPU, " + format_bytes(figures.peak_pss_bytes) +
         " at its peak and " +
         std::to_string(figures.voluntary_switches + figures.involuntary_switches) +
         " context switches";
}

std::string rounds_text(int rounds) {
  return rounds == 1 ? "1 round" : std::to_string(rounds) + " rounds";
}

std::string interval_of(const paired_ratio& ratio) {
  if (ratio.rounds < 2) return {};
  return " (" + format_percent(ratio.confidence) + " interval: " + format_ratio(ratio.low) +
         " to " + format_ratio(ratio.high) + ")";
}

std::string fastest_sentence(const rival& fastest, const rival& next) {
  const paired_ratio& ratio = next.against_fastest;
  return fastest.who->name + " was faster than " + next.who->name + ", the next, in " +
         std::to_string(ratio.rounds_won) + " of " + rounds_text(ratio.rounds) + ": " +
         format_seconds(fastest.figures.wall_s) + " against " +
         format_seconds(next.figures.wall_s) + ", " + format_ratio(ratio.ratio) + " as fast" +
         interval_of(ratio) + ".";
}

std::string undecided_sentence(const rival& fastest, const rival& next) {
  const paired_ratio& ratio = next.against_fastest;
  std::string text = fastest.who->name + " and " + next.who->name +
                     " cannot be told apart: " + format_seconds(fastest.figures.wall_s) +
                     " against " + format_seconds(next.figures.wall_s) + ", " + fastest.who->name +
                     " faster in " + std::to_string(ratio.rounds_won) + " of " +
                     rounds_text(ratio.rounds) + interval_of(ratio);
  if (ratio.rounds < enough_rounds) {
    text += "; " + std::to_string(enough_rounds) + " rounds or more could tell";
  }
  return text + ".";
}

// What the tasks are like, and what the contestant made of that.
std::string profile_sentence(const serial_profile& profile, const rival& chosen) {
  const double whole = profile.cpu_s + profile.waited_s;
  const double cpu_share = profile.cpu_s / whole;
  std::string text = "One after another the tasks used a CPU for " + format_percent(cpu_share) +
                     " of their time and waited for " + format_percent(1 - cpu_share) + ": ";
  const std::string workers =
      std::to_string(chosen.who->workers) + (chosen.who->workers == 1 ? " worker" : " workers");
  const double busy = chosen.figures.wall_s > 0 ? chosen.figures.cpu_s / chosen.figures.wall_s : 0;
  if (cpu_share >= 0.5) {
    return text + "only more CPUs at once shorten that, and " + chosen.who->name + " kept " +
           format_fixed(busy, 2) + " busy with " + workers + ".";
  }
  const double at_once = chosen.figures.wall_s > 0 ? whole / chosen.figures.wall_s : 0;
  return text + "waits can overlap, and " + chosen.who->name + " had " + format_fixed(at_once, 1) +
         " tasks under way on average with " + workers + ".";
}

// The third sentence of a clear verdict: who would be ahead if start-up counted, or the costs.
std::string cost_sentence(const rival& fastest, const std::vector<rival>& others) {
  const auto whole = [](const rival& one) { return one.figures.wall_s + one.figures.startup_s; };
  const auto first =
      std::min_element(others.begin(), others.end(),
                       [&](const rival& a, const rival& b) { return whole(a) < whole(b); });
  if (whole(*first) < whole(fastest)) {
    return "With start-up counted " + first->who->name +
           " would be ahead: " + format_seconds(whole(*first)) + " against " +
           format_seconds(whole(fastest)) + ", of which " +
           format_seconds(fastest.figures.startup_s) + " is start-up.";
  }
  return fastest.who->name + " took " + cost_of(fastest.figures) + "; " + others[0].who->name +
         " took " + cost_of(others[0].figures) + ".";
}

std::optional<serial_profile> profile_from(std::span<const measurement> contestants) {
  for (const measurement& one : contestants) {
    if (one.name != "serial") continue;
    const run_figures figures = one.medians();
    return serial_profile{figures.cpu_s, std::max(figures.wall_s - figures.cpu_s, 0.0)};
  }
  return std::nullopt;
}

// All that have run, the fastest by median first.
std::vector<rival> by_speed(std::span<const measurement> contestants) {
  std::vector<rival> rivals;
  for (const measurement& one : contestants) {
    if (!one.runs.empty()) rivals.push_back({&one, one.medians(), {}});
  }
  std::sort(rivals.begin(), rivals.end(), [](const rival& a, const rival& b) {
    return std::tie(a.figures.wall_s, a.who) < std::tie(b.figures.wall_s, b.who);
  });
  for (rival& one : rivals) {
    one.against_fastest = compare_rounds(one.who->wall_runs_s(), rivals[0].who->wall_runs_s());
  }
  return rivals;
}

std::string cheaper_sentence(const rival& sensible, const rival& other) {
  std::string reason = " is the sensible choice, since the other is no cheaper: ";
  if (cheaper(sensible.figures, other.figures)) {
    reason = " is the cheaper of them and the sensible choice: ";
  } else if (cheaper(other.figures, sensible.figures)) {
    const double longer = 100 * (other.against_fastest.ratio - 1);
    reason = " is the sensible choice: the other is cheaper, but took about " +
             std::to_string(std::lround(longer)) + " % longer: ";
  }
  return sensible.who->name + reason + cost_of(sensible.figures) + ", where " + other.who->name +
         " took " + cost_of(other.figures) + ".";
}

}  // namespace

verdict judge(std::span<const measurement> contestants, std::optional<serial_profile> profile,
              const verdict_rules& rules) {
  const std::vector<rival> rivals = by_speed(contestants);
  if (rivals.empty()) return {{}, {}, {"Nothing was measured."}};
  const rival& fastest = rivals[0];
  if (rivals.size() == 1) {
    const std::string& name = fastest.who->name;
    return {name,
            name,
            {"Only " + name + " was measured: there is nothing to compare it with.",
             name + " took " + cost_of(fastest.figures) + "."}};
  }
  const std::vector<rival> others(rivals.begin() + 1, rivals.end());
  std::vector<const rival*> undecided;
  for (const rival& one : others) {
    if (!clearly_slower(one.against_fastest, rules)) undecided.push_back(&one);
  }

  verdict result;
  const rival* sensible = &fastest;
  for (const rival* one : undecided) {
    const bool close = one->against_fastest.ratio <= 1 + rules.largest_sensible_loss;
    if (close && cheaper(one->figures, sensible->figures)) sensible = one;
  }
  result.sensible = sensible->who->name;
  result.fits = undecided.empty() ? result.sensible : too_close_to_call;
  result.why.push_back(undecided.empty() ? fastest_sentence(fastest, others[0])
                                         : undecided_sentence(fastest, *undecided[0]));
  if (!profile) profile = profile_from(contestants);
  if (profile && profile->cpu_s + profile->waited_s > 0) {
    result.why.push_back(profile_sentence(*profile, *sensible));
  }
  const rival& other = sensible == &fastest && !undecided.empty() ? *undecided[0] : fastest;
  result.why.push_back(undecided.empty() ? cost_sentence(fastest, others)
                                         : cheaper_sentence(*sensible, other));
  return result;
}

std::string to_text(const verdict& verdict) {
  std::string text = "Fits: " + verdict.fits;
  if (verdict.fits == too_close_to_call) text += "; sensible: " + verdict.sensible;
  text += "\n";
  for (std::size_t i = 0; i < verdict.why.size(); ++i) {
    text += (i == 0 ? "Why:  " : "      ") + verdict.why[i] + "\n";
  }
  return text;
}

}  // namespace brigade::measure
