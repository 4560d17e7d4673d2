// From the request for a model that is not loaded to the grant of a slot, through the fleet; beside
// it, a llama-server started by hand and asked every millisecond until /health is 200.
// usage: LLAMA_SERVER_PATH=… load_bench [ROUNDS]; writes a tiny real model of its own.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <fcntl.h>

#include "daemon/backends/program.hpp"
#include "daemon/process/child.hpp"
#include "daemon/process/environment.hpp"
#include "daemon/supervisor/fleet.hpp"
#include "daemon/supervisor/probe.hpp"
#include "tests/support/memory_rows.hpp"
#include "tests/support/temp_dir.hpp"
#include "tools/tiny_model/chain_model.hpp"

namespace routerd {
namespace {

using std::chrono::steady_clock;

double milliseconds_since(TimePoint begin) {
    return std::chrono::duration<double, std::milli>(steady_clock::now() - begin).count();
}

/// "median 84.1 ms, fastest 79.0, slowest 101.2".
void print(const char* what, std::vector<double> times) {
    if (times.empty()) {
        std::printf("%-44s never\n", what);
        return;
    }
    std::ranges::sort(times);
    std::printf("%-44s median %6.1f ms   fastest %6.1f   slowest %6.1f\n", what,
                times[times.size() / 2], times.front(), times.back());
}

class LoadBench {
  public:
    explicit LoadBench(std::string program) : program_(std::move(program)) {
        config_.state.dir = dir_ / "state";
        config_.state.runtime_dir = dir_ / "run";
        config_.llama_server.path = program_;
        config_.llama_server.args = {"-t", "1"};
        tiny_model::ChainOptions options;
        options.text = "the quick brown fox";
        auto model = std::make_shared<Model>();
        model->id = "fox";
        model->files = {dir_ / "fox.gguf"};
        if (const auto written = tiny_model::write_chain_model(model->files.front(), options);
            !written) {
            std::fprintf(stderr, "%s\n", written.error().message().c_str());
            std::exit(1);  // NOLINT(concurrency-mt-unsafe): nothing runs yet
        }
        model_ = std::move(model);
    }

    void run(int rounds) {
        boost::asio::co_spawn(loop_, measure(rounds), [](std::exception_ptr thrown) {
            if (thrown) {
                std::rethrow_exception(std::move(thrown));
            }
        });
        loop_.run();
        print("llama-server by hand, start to /health 200", by_hand_);
        print("fleet, request to grant", by_fleet_);
    }

  private:
    asio::awaitable<void> measure(int rounds) {
        Fleet::Services services{loop_.get_executor(), pool_, rows_, {}};
        Fleet fleet(std::move(services), config_);
        auto snapshot = std::make_shared<Snapshot>();
        snapshot->models.push_back(model_);
        fleet.set_catalog(snapshot);
        const auto adopted = co_await fleet.adopt();
        for (int i = 0; adopted && i < rounds; ++i) {  // in turns: both see the same machine
            co_await one_by_hand();
            co_await one_by_fleet(fleet);
        }
        co_await fleet.shutdown();
    }

    asio::awaitable<void> one_by_fleet(Fleet& fleet) {
        Demand demand;
        demand.model = "fox";
        const auto begin = steady_clock::now();
        {
            auto ticket = fleet.request(demand);
            co_await ticket.wait_until(TimePoint::max());
            const auto took = milliseconds_since(begin);
            if (const auto lease = ticket.take(); lease) {
                by_fleet_.push_back(took);
            } else {
                std::fprintf(stderr, "%s\n", lease.error().message().c_str());
            }
        }
        co_await fleet.unload("fox");
    }

    asio::awaitable<void> one_by_hand() {
        const Endpoint endpoint{dir_ / "by-hand.sock", 0};
        Child::Program program;
        program.argv = {
            program_, "-m", model_->files.front(), "--host", endpoint.unix_path, "-np", "1",
            "-t",     "1",  "--no-webui"};
        program.environment = server_environment({});
        const UniqueFd log(
            ::open((dir_ / "by-hand.log").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600));
        program.log_fd = log.get();
        const auto begin = steady_clock::now();
        auto child = Child::spawn(program);
        asio::steady_timer pause(loop_);
        Probe probe(loop_.get_executor());
        const auto give_up = begin + std::chrono::seconds(30);
        while (child && steady_clock::now() < give_up) {
            const auto answer = co_await probe.get(endpoint, "/health", give_up);
            if (answer && answer->status == 200) {
                by_hand_.push_back(milliseconds_since(begin));
                break;
            }
            pause.expires_after(std::chrono::milliseconds(1));
            co_await pause.async_wait(no_throw);
        }
        ::unlink(endpoint.unix_path.c_str());
    }

    boost::asio::io_context loop_{1};
    boost::asio::thread_pool pool_{1};
    test::TempDir dir_;
    test::MemoryRows rows_;
    Config config_;
    std::string program_;
    std::shared_ptr<const Model> model_;
    std::vector<double> by_hand_;
    std::vector<double> by_fleet_;
};

}  // namespace
}  // namespace routerd

int main(int argc, char** argv) {
    const char* named = std::getenv("LLAMA_SERVER_PATH");  // NOLINT(concurrency-mt-unsafe)
    const auto program =
        routerd::find_program(named == nullptr ? "llama-server" : named, "LLAMA_SERVER_PATH");
    if (!program) {
        std::fprintf(stderr, "load_bench: %s\n", program.error().message().c_str());
        return 1;
    }
    routerd::LoadBench(*program).run(argc > 1 ? std::atoi(argv[1]) : 20);
    return 0;
}
