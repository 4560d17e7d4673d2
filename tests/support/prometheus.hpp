#pragma once

#include <cmath>
#include <cstdlib>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace routerd::test {

/// Reads Prometheus' text format as strictly as Prometheus does, and says what is wrong with it.
class Prometheus {
  public:
    using Labels = std::map<std::string, std::string>;

    explicit Prometheus(const std::string& text) {
        if (!text.empty() && text.back() != '\n') {
            fault("no line feed at the end");
        }
        std::istringstream lines(text);
        for (std::string line; std::getline(lines, line);) {
            line_ = line;
            line.starts_with('#') ? comment(line) : sample(line);
        }
        check_histograms();
    }

    const std::vector<std::string>& faults() const { return faults_; }

    std::optional<double> value(const std::string& name, const Labels& labels = {}) const {
        const auto found = samples_.find({name, labels});
        return found == samples_.end() ? std::nullopt : std::optional(found->second);
    }

    /// Samples of this name, whatever their labels.
    std::size_t count(const std::string& name) const {
        std::size_t found = 0;
        for (const auto& [key, value] : samples_) {
            found += key.first == name ? 1U : 0U;
        }
        return found;
    }

    std::string type(const std::string& name) const {
        const auto found = types_.find(name);
        return found == types_.end() ? "" : found->second;
    }

  private:
    void fault(const std::string& what) { faults_.push_back(what + ": " + line_); }

    void comment(const std::string& line) {
        std::istringstream words(line);
        std::string hash;
        std::string kind;
        std::string name;
        std::string rest;
        words >> hash >> kind >> name;
        std::getline(words, rest);
        if (rest.size() < 2 || (kind != "HELP" && kind != "TYPE")) {
            fault("neither help nor type");
        } else if (kind == "HELP" && !helped_.insert(name).second) {
            fault("helped twice");
        } else if (kind == "TYPE") {
            current_ = name;
            const auto type = rest.substr(1);
            const std::set<std::string> known{"counter", "gauge", "histogram"};
            if (!known.contains(type) || !types_.emplace(name, type).second) {
                fault("no such type, or a second one");
            }
        }
    }

    static bool is_name(std::string_view name) {
        return !name.empty() &&
               name.find_first_not_of(
                   "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                   "_:0123456789") == std::string_view::npos &&
               (name.front() < '0' || name.front() > '9');
    }

    /// From after '{' to after '}'.
    std::optional<Labels> labels(std::string_view& rest) {
        Labels read;
        while (!rest.starts_with('}')) {
            const auto equals = rest.find("=\"");
            if (equals == std::string_view::npos || !is_name(rest.substr(0, equals))) {
                return std::nullopt;
            }
            const std::string name(rest.substr(0, equals));
            rest.remove_prefix(equals + 2);
            std::string value;
            while (!rest.empty() && rest.front() != '"') {
                char c = rest.front();
                rest.remove_prefix(1);
                if (c == '\\') {
                    if (rest.empty() ||
                        std::string_view("\\\"n").find(rest.front()) == std::string_view::npos) {
                        return std::nullopt;
                    }
                    c = rest.front() == 'n' ? '\n' : rest.front();
                    rest.remove_prefix(1);
                }
                value += c;
            }
            if (rest.empty() || !read.emplace(name, value).second) {
                return std::nullopt;
            }
            rest.remove_prefix(1);
            if (rest.starts_with(',')) {
                rest.remove_prefix(1);
            } else if (!rest.starts_with('}')) {
                return std::nullopt;
            }
        }
        rest.remove_prefix(1);
        return read;
    }

    void sample(const std::string& line) {
        std::string_view rest(line);
        const auto end = rest.find_first_of("{ ");
        const std::string name(rest.substr(0, end));
        rest.remove_prefix(name.size());
        Labels read;
        if (rest.starts_with('{')) {
            rest.remove_prefix(1);
            auto found = labels(rest);
            if (!found) {
                fault("bad labels");
                return;
            }
            read = *found;
        }
        char* stop = nullptr;
        const std::string number(rest.empty() ? rest : rest.substr(1));
        const double value = std::strtod(number.c_str(), &stop);
        if (!is_name(name) || !rest.starts_with(' ') || number.empty() || *stop != '\0') {
            fault("not a sample");
        } else if (!belongs(name)) {
            fault("not under its own # TYPE");
        } else if (!samples_.emplace(std::pair(name, read), value).second) {
            fault("the same series twice");
        }
    }

    bool belongs(const std::string& name) const {
        if (type(current_) != "histogram") {
            return name == current_ && helped_.contains(name);
        }
        return name == current_ + "_bucket" || name == current_ + "_sum" ||
               name == current_ + "_count";
    }

    void check_histograms() {
        std::map<std::pair<std::string, Labels>, std::map<double, double>> histograms;
        for (const auto& [key, value] : samples_) {
            auto [name, labels] = key;
            const auto le = labels.extract("le");
            if (le && name.ends_with("_bucket")) {
                name.resize(name.size() - std::string_view("_bucket").size());
                histograms[{name, labels}][std::strtod(le.mapped().c_str(), nullptr)] = value;
            }
        }
        for (const auto& [key, buckets] : histograms) {
            line_ = key.first;
            double before = 0;
            for (const auto& [bound, value] : buckets) {
                if (value < before) {
                    fault("buckets fall");
                }
                before = value;
            }
            if (!std::isinf(buckets.rbegin()->first) ||
                value(key.first + "_count", key.second) != before ||
                !value(key.first + "_sum", key.second)) {
                fault("the last bucket is not +Inf with all, or count or sum is missing");
            }
        }
    }

    std::string line_;
    std::string current_;
    std::set<std::string> helped_;
    std::map<std::string, std::string> types_;
    std::map<std::pair<std::string, Labels>, double> samples_;
    std::vector<std::string> faults_;
};

}  // namespace routerd::test
