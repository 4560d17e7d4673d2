// Plays one workload with the daemon's own scheduler and with the rules of others, and prints what
// came of each.
//
// usage: sim [REQUESTS=1000000] [RATE=0.5] [SEED=1]
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <numeric>
#include <string>

#include "tests/sim/world.hpp"

namespace {

using namespace routerd::sim;

double percentile(std::vector<float>& waits, double part) {
    const auto at = static_cast<std::size_t>(part * static_cast<double>(waits.size() - 1));
    std::ranges::nth_element(waits, waits.begin() + static_cast<std::ptrdiff_t>(at));
    return static_cast<double>(waits[at]);
}

/// Jain's index: 1 when all have the same, 1/n when one has all.
double fairness(const std::vector<double>& shares) {
    const auto sum = std::accumulate(shares.begin(), shares.end(), 0.0);
    const auto squares = std::inner_product(shares.begin(), shares.end(), shares.begin(), 0.0);
    return squares == 0 ? 1 : sum * sum / (static_cast<double>(shares.size()) * squares);
}

void print(const char* name, Outcome outcome) {
    auto& waits = outcome.waits;
    if (waits.empty()) {
        std::printf("%-24s nothing was served\n", name);
        return;
    }
    const auto worst = static_cast<double>(*std::ranges::max_element(waits));
    const auto sum = std::accumulate(waits.begin(), waits.end(), 0.0);
    std::printf("%-24s %8.2f %8.2f %8.2f %8.2f %8.1f %9.0f %6.1f%% %6.3f %8llu %8llu %6.1f\n", name,
                sum / static_cast<double>(waits.size()), percentile(waits, 0.5),
                percentile(waits, 0.99), percentile(outcome.urgent_waits, 0.99), worst,
                outcome.swap_seconds,
                100 * static_cast<double>(outcome.hits) / static_cast<double>(waits.size()),
                fairness(outcome.slowdown), static_cast<unsigned long long>(outcome.refused),
                static_cast<unsigned long long>(outcome.starving), outcome.wall_seconds);
    std::fflush(stdout);
}

void compare(const char* name, const Setting& setting, const Workload& workload) {
    constexpr unsigned max_loaded = 8;  // 96 GiB over models of 11 on the average
    std::printf("%s: %llu requests, %.2f/s, %u agents, %zu models hammered\n", name,
                static_cast<unsigned long long>(workload.requests), workload.rate, workload.agents,
                workload.hammered.size());
    std::printf("%-24s %8s %8s %8s %8s %8s %9s %7s %6s %8s %8s %6s\n", "policy", "mean s", "p50 s",
                "p99 s", "p99 high", "worst s", "loading s", "hits", "Jain", "refused", "starving",
                "took s");
    print("routerd", play(*ours(setting.site), setting, workload));
    print("first come, LRU by count",
          play(*by_rule(Rule::fifo, setting.site, max_loaded), setting, workload));
    print("resident first",
          play(*by_rule(Rule::resident_first, setting.site, max_loaded), setting, workload));
    print("single queue",
          play(*by_rule(Rule::single_queue, setting.site, max_loaded), setting, workload));
}

}  // namespace

int main(int argc, char** argv) {
    auto mixed = mixed_workload();
    mixed.requests = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : mixed.requests;
    mixed.rate = argc > 2 ? std::strtod(argv[2], nullptr) : mixed.rate;
    mixed.seed = argc > 3 ? static_cast<unsigned>(std::strtoul(argv[3], nullptr, 10)) : 1;
    auto hammered = hammered_workload();
    hammered.requests = std::min<std::uint64_t>(mixed.requests, 200000);
    hammered.seed = mixed.seed;
    const auto setting = usual_setting();
    std::printf("%zu models on %zu devices\n", setting.models.size(), setting.site.devices.size());
    compare("mixed", setting, mixed);
    compare("hammered", setting, hammered);
    return 0;
}
