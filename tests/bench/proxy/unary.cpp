// Requests whose answer comes whole: one after the other on each connection, or at a rate.
#include <algorithm>
#include <deque>
#include <map>

#include "tests/bench/proxy/client.hpp"

namespace bench {
namespace {

class Unary : public Exchanges {
  public:
    explicit Unary(const Options& options)
        : options_(options),
          client_(options, *this),
          meter_(options.pids, options.helpers),
          body_(make_body(options.ask, options.model, options.body)),
          request_(make_request(options, body_)),
          receipt_(receipt(body_)),
          places_(options.connections) {}

    int run();

    void on_body(Peer& peer, std::string_view piece, std::uint64_t now) override;
    void on_reply(Peer& peer, std::uint64_t now) override;
    void on_broken(Peer& peer, const std::string& why) override;

  private:
    struct Place {  // of a connection, by its index
        std::uint64_t due = 0;
        std::string answer;
    };

    void next(Peer& peer);
    void give_out(std::uint64_t now);
    std::string fault(const Peer& peer, const Place& place) const;
    bool is_open_loop() const { return options_.rate > 0; }

    const Options& options_;
    Client client_;
    Meter meter_;
    std::string body_;
    std::string request_;
    std::string receipt_;
    std::vector<Place> places_;
    std::vector<Peer*> idle_;            // open loop: connections without a request
    std::deque<std::uint64_t> waiting_;  // open loop: requests that were due, without a connection
    double next_due_ = 0;                // ns; the pauses need not be whole
    bool is_measuring_ = false;
    bool is_over_ = false;
    std::uint64_t answered_ = 0;
    std::uint64_t broken_ = 0;
    std::map<std::string, std::uint64_t> faults_;
    Times times_;
};

void Unary::next(Peer& peer) {
    if (is_open_loop()) {
        idle_.push_back(&peer);
        return;
    }
    if (!is_over_) {
        places_[peer.index].due = now_ns();
        client_.send(peer, request_);
    }
}

/// Open loop: what is due goes out at its time, or as soon as a connection is free; its time runs
/// from when it was due, so that a slow target cannot hide behind the requests it kept from being
/// sent.
void Unary::give_out(std::uint64_t now) {
    while (!is_over_ && next_due_ <= static_cast<double>(now)) {
        waiting_.push_back(static_cast<std::uint64_t>(next_due_));
        next_due_ += 1e9 / options_.rate;
    }
    while (!waiting_.empty() && !idle_.empty()) {
        auto& peer = *idle_.back();
        idle_.pop_back();
        if (!peer.is_open()) {
            client_.open(peer);
        }
        places_[peer.index].due = waiting_.front();
        waiting_.pop_front();
        client_.send(peer, request_);
    }
}

void Unary::on_body(Peer& peer, std::string_view piece, std::uint64_t /*now*/) {
    places_[peer.index].answer += piece;
}

std::string Unary::fault(const Peer& peer, const Place& place) const {
    if (peer.status() != 200) {
        return "status " + std::to_string(peer.status());
    }
    if (place.answer.find(receipt_) == std::string::npos) {
        return "request or answer altered";
    }
    return {};
}

void Unary::on_reply(Peer& peer, std::uint64_t now) {
    auto& place = places_[peer.index];
    const auto why = fault(peer, place);
    if (is_measuring_) {
        if (why.empty()) {
            ++answered_;
            times_.add(now - std::min(now, place.due));
        } else {
            ++broken_;
            ++faults_[why];
        }
    }
    place.answer.clear();
    if (!peer.is_open()) {
        client_.open(peer);
    }
    next(peer);
}

void Unary::on_broken(Peer& peer, const std::string& why) {
    ++broken_;
    ++faults_[why];
    places_[peer.index].answer.clear();
    client_.open(peer);
    next(peer);
}

int Unary::run() {
    for (std::uint64_t i = 0; i < options_.connections; ++i) {
        client_.add();
    }
    client_.open_all();
    const auto begin = now_ns();
    const auto measured_from = begin + static_cast<std::uint64_t>(options_.warmup * 1e9);
    const auto end = measured_from + static_cast<std::uint64_t>(options_.seconds * 1e9);
    next_due_ = static_cast<double>(begin);
    for (const auto& peer : client_.peers()) {
        next(*peer);
    }
    for (auto now = begin; now < end; now = now_ns()) {
        if (!is_measuring_ && now >= measured_from) {
            is_measuring_ = true;
            meter_.start();
        }
        auto until = is_measuring_ ? end : measured_from;
        if (is_open_loop()) {
            give_out(now);
            until = std::min(until, static_cast<std::uint64_t>(next_due_));
        }
        client_.turn(until);
    }
    meter_.stop();
    is_over_ = true;
    Report report;
    report.text("mode", "unary");
    report.number("requests", static_cast<double>(answered_));
    report.number("requests_per_s", static_cast<double>(answered_) / meter_.seconds());
    report.number("broken", static_cast<double>(broken_));
    for (const auto& [why, count] : faults_) {
        report.number("broken: " + why, static_cast<double>(count));
    }
    report.number("unsent", static_cast<double>(waiting_.size()));
    times_.report(report, "latency");
    meter_.report(report, static_cast<double>(answered_), "request");
    report.print();
    return broken_ == 0 && answered_ > 0 ? 0 : 1;
}

}  // namespace

int run_unary(const Options& options) {
    return Unary(options).run();
}

}  // namespace bench
