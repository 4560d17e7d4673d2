#include <ostream>

#include "cmd/routerctl/commands/all.hpp"
#include "cmd/routerctl/invocation.hpp"
#include "cmd/routerctl/output/printer.hpp"
#include "cmd/routerctl/pull_view.hpp"

namespace routerd::ctl {
namespace {

struct PullOptions {
    api::PullRequest request;
    unsigned connections = 0;
    std::string limit_rate;
    std::string token_file;
    std::string sha256;
    bool detach = false;
};

Result<api::PullRequest> pull_request(const Context& context, const PullOptions& options) {
    auto request = options.request;
    if (options.connections != 0) {
        request.connections = options.connections;
    }
    if (!options.limit_rate.empty()) {
        request.limit_rate = options.limit_rate;
    }
    if (!options.sha256.empty()) {
        request.sha256 = options.sha256;
    }
    if (!options.token_file.empty()) {
        auto token = read_token(context, options.token_file);
        if (!token) {
            return token.error();
        }
        request.token = std::move(*token);
    }
    return request;
}

int run_pull(Context& context, const PullOptions& options) {
    const auto request = pull_request(context, options);
    if (!request) {
        return context.end_of_stream(request.error());
    }
    const auto begun = context.client.begin_pull(*request);
    if (!begun) {
        return context.end_of_stream(begun.error());
    }
    if (options.detach) {
        return print_value(context, *begun, begun->id, [&] { print_name(context, begun->id); });
    }
    return follow_pull(context, *begun);
}

}  // namespace

void add_pull(CLI::App& root, Invocation& invocation) {
    auto* command = root.add_subcommand("pull", "Download a model");
    auto options = std::make_shared<PullOptions>();
    command
        ->add_option("REF", options->request.ref,
                     "org/repo[:QUANT], hf.co/org/repo:QUANT, ollama://name:tag, "
                     "https://host/file.gguf or file:///file.gguf")
        ->type_name("TEXT")
        ->required();
    command->add_flag("-d,--detach", options->detach,
                      "print the pull's id and do not wait; see pulls");
    command
        ->add_option("--connections", options->connections,
                     "of each file at most; [pull] connections says how many by default")
        ->type_name("N")
        ->check(CLI::Validator(CLI::PositiveNumber).description(""));
    command
        ->add_option("--limit-rate", options->limit_rate,
                     "at most so many bytes a second, such as 20M")
        ->type_name("RATE");
    command
        ->add_option("--include", options->request.include,
                     "only files of the repository whose names match; may be given several times")
        ->type_name("GLOB")
        ->allow_extra_args(false);
    command
        ->add_option("--token-file", options->token_file,
                     "a file with a token for the origin; - is standard input")
        ->type_name(file_word);
    command
        ->add_option("--sha256", options->sha256,
                     "what the one file of a URL must be, in 64 hexadecimal digits")
        ->type_name("HEX");
    command->add_flag("--insecure", options->request.insecure,
                      "the URL may be http:// and its host one of this network");
    set_action(*command, invocation, options, run_pull);
}

}  // namespace routerd::ctl
