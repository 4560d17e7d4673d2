#pragma once

#include <iosfwd>
#include <string>
#include <utility>
#include <vector>

namespace routerd::ctl {

/// Lines of "name:  value", aligned; an empty value is left out. Foreign text is made safe.
class Sheet {
  public:
    void add(std::string name, std::string value);
    /// One line each, the name on the first.
    void add_all(const std::string& name, const std::vector<std::string>& values);
    void print(std::ostream& out) const;

  private:
    std::vector<std::pair<std::string, std::string>> lines_;
};

}  // namespace routerd::ctl
