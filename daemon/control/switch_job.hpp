#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "common/api/switch.hpp"
#include "common/base/result.hpp"
#include "common/base/time.hpp"
#include "daemon/net/net.hpp"
#include "daemon/net/signal.hpp"

namespace routerd {

class Control;
class Fleet;
struct LoadPlan;

/// What a switch to `id` would do now.
api::SwitchPlan plan_switch(const Fleet& fleet, const std::string& id, bool exclusive);

/// Unloads `id`, whose memory a switch wants.
asio::awaitable<void> make_way(Fleet& fleet, std::string id);

/// One switch from beginning to end, told stage by stage. It goes on when nobody listens any more:
/// its task (in Control's group) and its listener each hold it by shared_ptr. Core loop only.
class SwitchJob {
  public:
    struct Told {
        std::string name;  ///< of the event: stage, done, error
        std::string data;  ///< JSON
    };

    /// @param id  of an enabled model
    SwitchJob(Control& control, std::string id, bool exclusive);

    /// Makes the model the default, makes room where that is asked for, loads it. Once.
    asio::awaitable<void> run();

    /// Everything told so far; `done` or `error` is the last.
    const std::vector<Told>& told() const noexcept { return told_; }
    bool over() const noexcept { return over_; }

    /// Called after each thing that is told; empty: nobody listens any more.
    void on_told(std::function<void()> callback) { on_told_ = std::move(callback); }

  private:
    /// A stage that has begun and is not over.
    struct Stage {
        std::string name;
        std::string model;
        TimePoint begun;
    };
    /// A server that makes room.
    struct Victim {
        std::string model;
        std::uint64_t instance = 0;
        std::string reason;
    };

    asio::awaitable<Result<void>> persist();
    asio::awaitable<void> make_room();
    asio::awaitable<Result<void>> load();
    void note_victims(const LoadPlan& plan);
    bool is_gone(const Victim& victim) const;
    void watch();
    void watch_victim(const Victim& victim);
    void tell(std::string name, std::string data);
    void begin(const std::string& name, const std::string& model, const std::string& message);
    void end(const std::string& name, const std::string& model, const std::string& message);
    void finish(const Result<void>& outcome);

    Control& control_;
    Fleet& fleet_;
    std::string id_;
    bool exclusive_;
    TimePoint begun_;
    std::string previous_;
    std::vector<Stage> open_;
    std::vector<Victim> victims_;
    std::vector<Told> told_;
    std::function<void()> on_told_;
    Signal changed_;
    bool over_ = false;
};

}  // namespace routerd
