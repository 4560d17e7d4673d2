#include "cmd/routerctl/complete.hpp"

#include <algorithm>
#include <ostream>

#include "cmd/routerctl/invocation.hpp"
#include "common/base/text.hpp"

namespace routerd::ctl {
namespace {

struct Candidate {
    std::string word;
    std::string description;
};

/// Where the words before the last one have led.
struct Position {
    const CLI::App* command;
    const CLI::Option* awaiting = nullptr;  ///< an option whose value comes next
    std::size_t positionals = 0;            ///< arguments given so far
    std::string host;                       ///< of -H or --host
};

bool takes_value(const CLI::Option& option) {
    return option.get_items_expected_max() > 0;
}

const CLI::Option* find_option(const CLI::App* command, const std::string& word) {
    for (; command != nullptr; command = command->get_parent()) {
        const auto* option = command->get_option_no_throw(word);
        if (option != nullptr) {
            return option;
        }
    }
    return nullptr;
}

const CLI::App* find_command(const CLI::App& command, const std::string& word) {
    for (const auto* inner : command.get_subcommands([](const CLI::App*) { return true; })) {
        if (inner->check_name(word)) {
            return inner;
        }
    }
    return nullptr;
}

void take(Position& position, const std::string& word) {
    if (position.awaiting != nullptr) {
        if (position.awaiting->check_name("--host")) {
            position.host = word;
        }
        position.awaiting = nullptr;
        return;
    }
    if (word.starts_with('-') && word.size() > 1) {
        const auto equals = word.find('=');
        const auto* option = find_option(position.command, word.substr(0, equals));
        const bool waits = option != nullptr && takes_value(*option);
        if (waits && equals == std::string::npos) {
            position.awaiting = option;
        } else if (waits && option->check_name("--host")) {
            position.host = word.substr(equals + 1);
        }
        return;
    }
    const auto* inner = find_command(*position.command, word);
    if (inner != nullptr && position.positionals == 0) {
        position.command = inner;
    } else {
        ++position.positionals;
    }
}

/// The argument that the next word would be; the last one when it takes several.
const CLI::Option* argument_at(const Position& position) {
    const CLI::Option* found = nullptr;
    std::size_t index = 0;
    for (const auto* option : position.command->get_options()) {
        if (!option->get_positional()) {
            continue;
        }
        if (index++ == position.positionals) {
            return option;
        }
        found = option;
    }
    return found != nullptr && found->get_items_expected_max() > 1 ? found : nullptr;
}

std::vector<Candidate> options_of(const CLI::App* command) {
    std::vector<Candidate> candidates;
    for (; command != nullptr; command = command->get_parent()) {
        for (const auto* option : command->get_options()) {
            for (const auto& name : option->get_lnames()) {
                candidates.push_back({"--" + name, option->get_description()});
            }
        }
    }
    return candidates;
}

std::vector<Candidate> commands_of(const CLI::App& command) {
    std::vector<Candidate> candidates;
    for (const auto* inner : command.get_subcommands([](const CLI::App*) { return true; })) {
        candidates.push_back({inner->get_name(), inner->get_description()});
    }
    return candidates;
}

std::vector<Candidate> models(client::Client& client, const std::string& prefix) {
    std::vector<Candidate> candidates;
    client::ModelQuery query;
    query.all = true;
    query.prefix = prefix;
    const auto list = client.models(query);
    if (!list) {
        return candidates;
    }
    for (const auto& model : list->items) {
        candidates.push_back({model.id, model.display_name});
        for (const auto& alias : model.aliases) {
            candidates.push_back({alias, "alias of " + model.id});
        }
    }
    return candidates;
}

std::vector<Candidate> profiles(client::Client& client, const std::string& prefix) {
    std::vector<Candidate> candidates;
    const auto list = client.profiles(prefix);
    if (!list) {
        return candidates;
    }
    for (const auto& profile : list->items) {
        candidates.push_back({profile.name, profile.description});
    }
    return candidates;
}

std::vector<Candidate> keys(client::Client& client) {
    std::vector<Candidate> candidates;
    const auto list = client.keys();
    if (!list) {
        return candidates;
    }
    for (const auto& key : list->items) {
        candidates.push_back({key.name, join(key.scopes, ", ")});
    }
    return candidates;
}

std::vector<Candidate> pulls(client::Client& client) {
    std::vector<Candidate> candidates;
    const auto list = client.pulls();
    if (!list) {
        return candidates;
    }
    for (const auto& pull : list->items) {
        candidates.push_back({pull.id, pull.name + " (" + pull.state + ")"});
    }
    return candidates;
}

/// "{fast,balanced}" as CLI11 describes a choice.
std::vector<Candidate> choices(const std::string& type) {
    std::vector<Candidate> candidates;
    const auto open = type.find('{');
    const auto close = type.find('}');
    if (open != std::string::npos && close != std::string::npos) {
        const auto inner = std::string_view(type).substr(open + 1, close - open - 1);
        for (const auto word : split(inner, ',')) {
            candidates.push_back({std::string(word), ""});
        }
    }
    return candidates;
}

std::vector<Candidate> values_of(const CLI::Option& option, client::Client& client,
                                 const std::string& prefix) {
    const auto type = option.get_type_name();
    if (type == model_word) {
        return models(client, prefix);
    }
    if (type == profile_word) {
        return profiles(client, prefix);
    }
    if (type == key_word) {
        return keys(client);
    }
    if (type == pull_word) {
        return pulls(client);
    }
    if (type == file_word || type == folder_word) {
        return {{type == file_word ? ":files" : ":folders", ""}};
    }
    if (option.check_name("--format")) {
        return {{"table", ""}, {"wide", "more columns"}, {"json", ""}};
    }
    return choices(type);
}

client::Client quick_client(const std::string& host, const Environment& environment) {
    client::Options options;
    const auto addresses = client::candidates(host, environment);
    if (addresses) {
        options.addresses = *addresses;
    }
    const auto key = environment.find("ROUTERD_API_KEY");
    options.api_key = key == environment.end() ? "" : key->second;
    options.timeout = std::chrono::milliseconds(50);
    return client::Client(std::move(options));
}

}  // namespace

int complete(const CLI::App& root, std::vector<std::string> words, Terminal& terminal,
             const Environment& environment) {
    const std::string last = words.empty() ? "" : words.back();
    if (!words.empty()) {
        words.pop_back();
    }
    Position position{.command = &root, .awaiting = nullptr, .positionals = 0, .host = {}};
    for (const auto& word : words) {
        take(position, word);
    }
    auto client = quick_client(position.host, environment);
    std::vector<Candidate> candidates;
    const auto equals = last.find('=');
    const auto* assigned = last.starts_with("--") && equals != std::string::npos
                               ? find_option(position.command, last.substr(0, equals))
                               : nullptr;
    if (assigned != nullptr) {
        for (const auto& value : values_of(*assigned, client, last.substr(equals + 1))) {
            candidates.push_back({last.substr(0, equals + 1) + value.word, value.description});
        }
    } else if (position.awaiting != nullptr) {
        candidates = values_of(*position.awaiting, client, last);
    } else if (last.starts_with('-')) {
        candidates = options_of(position.command);
    } else if (position.positionals == 0 && !commands_of(*position.command).empty()) {
        candidates = commands_of(*position.command);
    } else if (const auto* argument = argument_at(position); argument != nullptr) {
        candidates = values_of(*argument, client, last);
    }
    for (const auto& candidate : candidates) {
        if (candidate.word.starts_with(':') || candidate.word.starts_with(last)) {
            terminal.out << escaped(candidate.word) << (candidate.description.empty() ? "" : "\t")
                         << escaped(candidate.description) << '\n';
        }
    }
    terminal.out << std::flush;
    return exit_ok;
}

}  // namespace routerd::ctl
