// routerd-tiny-model: writes a small, real model whose answer is known.

#include <cstdio>
#include <exception>

#include <CLI/CLI.hpp>

#include "common/base/units.hpp"
#include "tools/tiny_model/chain_model.hpp"

namespace {

int run(int argc, char** argv) {
    routerd::tiny_model::ChainOptions options;
    options.text = "Hello! I am a tiny model, and this is all that I can say.";
    std::string path;
    CLI::App app("Writes a real GGUF model that answers every prompt with one known text.");
    app.option_defaults()->always_capture_default();
    app.add_option("out", path, "the file to write")->required();
    app.add_option("--text", options.text, "what the model says");
    app.add_flag("--loop", options.loop, "never stop saying it");
    app.add_flag("--embedding", options.embedding, "a model for embeddings");
    app.add_flag("--rerank", options.rerank, "a model that scores documents");
    app.add_option("--name", options.name, "general.name in its metadata");
    app.add_option("--layers", options.layers, "layers; they cost memory and time, not disk");
    app.add_option("--dim", options.dim, "hidden size, a multiple of 32 (0: smallest)");
    app.add_option("--ffn", options.ffn, "feed-forward size (0: twice the hidden size)");
    app.add_option("--ctx", options.context, "context length in tokens");
    CLI11_PARSE(app, argc, argv);

    const auto written = routerd::tiny_model::write_chain_model(path, options);
    if (!written) {
        std::fprintf(stderr, "routerd-tiny-model: %s\n", written.error().message().c_str());
        return 1;
    }
    std::printf("%s: %s, says: %s\n", path.c_str(), routerd::format_bytes(*written).c_str(),
                options.text.c_str());
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run(argc, argv);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "routerd-tiny-model: %s\n", error.what());
        return 1;
    }
}
