#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace bench {

/// One line of JSON, in the order of the calls.
class Report {
  public:
    void text(std::string_view name, std::string_view value);
    void number(std::string_view name, double value);
    void print() const;

  private:
    void name(std::string_view name);

    std::string fields_;
};

/// Times in ns; what is asked of them sorts them.
class Times {
  public:
    void add(std::uint64_t ns) { all_.push_back(ns); }
    /// name_p50_us, name_p99_us; nothing when there are none.
    void report(Report& to, const std::string& name);

  private:
    double percentile_us(double percent) const;

    std::vector<std::uint64_t> all_;
};

/// Processor time of the proxy, of the stand-in behind it, and of everybody else, between two
/// moments.
class Meter {
  public:
    Meter(std::vector<pid_t> target, std::vector<pid_t> helpers)
        : target_(std::move(target)), helpers_(std::move(helpers)) {}

    void start();
    void stop();
    double seconds() const { return seconds_; }
    /// seconds, cpu_us_per_<unit>, rss_kib and other_cores: what strangers used of the machine.
    void report(Report& to, double units, const std::string& unit) const;
    std::uint64_t target_rss_kib() const;

  private:
    struct Reading {
        std::uint64_t wall_ns = 0;
        std::uint64_t target_ns = 0;
        std::uint64_t own_ns = 0;  ///< this process and the helpers
        double machine_s = 0;
    };
    Reading read() const;

    std::vector<pid_t> target_;
    std::vector<pid_t> helpers_;
    Reading begin_;
    double seconds_ = 0;
    double target_us_ = 0;
    double other_cores_ = 0;
};

}  // namespace bench
