#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace routerd::scheduler {

struct World;

/// Bytes on each device that is touched, by the device's id ("host", "cuda0").
using Footprint = std::map<std::string, std::uint64_t>;

/// What models may use of one device.
struct Budget {
    std::uint64_t usable = 0;   ///< bytes: the device's total or its budget, less the reserve
    std::uint64_t foreign = 0;  ///< bytes of it that processes which are not ours use now
};

/// The places that a server takes. One that runs elsewhere takes none.
struct Places {
    bool counts = true;               ///< one of those under max_loaded
    std::vector<std::string> groups;  ///< one in each of these
};

/// What is free: bytes on each device, and places: those under max_loaded, of which each server
/// here takes one, and those of each group, of which the servers of its models do. A device that
/// the world does not know has no limit. What was given away may exceed what there is (a
/// measurement said so, or a budget shrank): then it is below zero, and nothing fits.
class Ledger {
  public:
    /// What is free while all servers of `world` hold what is reserved for them.
    static Ledger now(const World& world);

    /// The same without any server of ours.
    static Ledger beside_others(const World& world);

    /// The same without any other process, too: all that models may ever use.
    static Ledger empty(const World& world);

    bool fits(const Footprint& footprint, const Places& places = {}) const;
    void take(const Footprint& footprint, const Places& places = {});
    void give(const Footprint& footprint, const Places& places = {});

    /// The first thing that a server would not find.
    struct Lack {
        std::string device;  ///< empty: a place
        std::string group;   ///< empty: a place of all
        std::uint64_t wanted = 0;
        std::uint64_t free = 0;
    };
    std::optional<Lack> lack(const Footprint& footprint, const Places& places = {}) const;

    /// What more is held of than there is: a place, or (when asked) `wanted` bytes of a device.
    enum class Of { places, places_and_bytes };
    std::optional<Lack> overdrawn(Of what) const;

  private:
    std::map<std::string, std::int64_t> free_;
    std::optional<std::int64_t> places_;          ///< nullopt: no limit
    std::map<std::string, std::int64_t> groups_;  ///< places in each
};

/// The first of `placements` (in order of preference) that fits; nullopt: none.
std::optional<Footprint> first_that_fits(const std::vector<Footprint>& placements,
                                         const Places& places, const Ledger& ledger);

}  // namespace routerd::scheduler
