#include "cmd/routerctl/manual.hpp"

#include <vector>

#include <CLI/CLI.hpp>

#include "common/base/text.hpp"

namespace routerd::ctl {
namespace {

/// Text that roff prints as it stands.
std::string roff(const std::string& text) {
    std::string result;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool line_start = i == 0 || text[i - 1] == '\n';
        if (line_start && (text[i] == '.' || text[i] == '\'')) {
            result += "\\&";
        }
        result += text[i] == '\\' ? "\\e" : text[i] == '-' ? "\\-" : std::string(1, text[i]);
    }
    return result;
}

std::string value_of(const CLI::Option& option) {
    return option.get_items_expected_max() == 0 ? "" : option.get_type_name();
}

std::string option_line(const CLI::Option& option) {
    std::vector<std::string> names;
    for (const auto& name : option.get_snames()) {
        names.push_back("\\fB\\-" + name + "\\fR");
    }
    for (const auto& name : option.get_lnames()) {
        names.push_back("\\fB\\-\\-" + roff(name) + "\\fR");
    }
    const auto value = value_of(option);
    return join(names, ", ") + (value.empty() ? "" : " \\fI" + roff(value) + "\\fR");
}

void write_options(const CLI::App& command, std::string& page) {
    for (const auto* option : command.get_options()) {
        if (!option->get_positional() && option->get_name() != "--help") {
            page += ".TP\n" + option_line(*option) + "\n" + roff(option->get_description()) + "\n";
        }
    }
}

std::string arguments_of(const CLI::App& command) {
    std::string text;
    for (const auto* option : command.get_options()) {
        if (!option->get_positional()) {
            continue;
        }
        const auto name = "\\fI" + roff(option->get_name(true)) + "\\fR" +
                          (option->get_items_expected_max() > 1 ? "..." : "");
        text += option->get_required() ? " " + name : " [" + name + "]";
    }
    return text;
}

void write_command(const CLI::App& command, const std::string& path, std::string& page) {
    const auto inner = command.get_subcommands([](const CLI::App*) { return true; });
    for (const auto* one : inner) {
        write_command(*one, path + " " + one->get_name(), page);
    }
    if (!inner.empty()) {
        return;
    }
    page += ".SS \"" + roff(path) + "\"\n\\fBrouterctl " + roff(path) + "\\fR [\\fIoptions\\fR]" +
            arguments_of(command) + "\n.PP\n" + roff(command.get_description()) + ".\n";
    if (!command.get_aliases().empty()) {
        page += "Also called: \\fB" + join(command.get_aliases(), "\\fR, \\fB") + "\\fR.\n";
    }
    if (!command.get_footer().empty()) {
        page += roff(command.get_footer()) + "\n";
    }
    for (const auto* option : command.get_options()) {
        if (option->get_positional() && !option->get_description().empty()) {
            page += ".TP\n\\fI" + roff(option->get_name(true)) + "\\fR\n" +
                    roff(option->get_description()) + "\n";
        }
    }
    write_options(command, page);
}

constexpr const char* head =
    R"(.\" Written by `routerctl __man` from the tree of commands; renew it with the build target update_man.
.TH ROUTERCTL 1 "" "routerd" "User Commands"
.SH NAME
routerctl \- control routerd, the router for local language models
.SH SYNOPSIS
\fBrouterctl\fR [\fIoptions\fR] \fIcommand\fR [\fIarguments\fR]
.SH DESCRIPTION
\fBrouterctl\fR asks a running \fBrouterd\fR(8) for everything: what models there are, which of them run, what they say.
It finds the daemon by \fB\-\-host\fR, then \fB$ROUTERD_HOST\fR, then the system's control socket
\fI/run/routerd/routerd.sock\fR and the user's own \fI$XDG_RUNTIME_DIR/routerd.sock\fR.
.PP
Results go to standard output and everything else to standard error, so that output can be piped.
Options may stand before or after the command.
)";

constexpr const char* tail = R"(.SH OUTPUT
Tables have upper\-case headings, two or more spaces between columns and one row a line; an empty cell is a dash.
Times are relative and sizes rounded in tables; in JSON times are RFC 3339 and sizes bytes.
.PP
\fB\-\-format json\fR prints the object of the control API (\fBrouterd\-api\fR(7)) as it is; a list has its rows in \fIitems\fR.
A template has fields of that object between double braces:
.PP
.nf
    routerctl ps \-\-format '{{.model}} {{.state}}'
    routerctl ls \-\-format 'table {{.id}}\et{{.tier}}\et{{join .aliases ","}}'
    routerctl show NAME \-\-format '{{json .cmdline}}'
.fi
.PP
Functions are \fBjson\fR, \fBjoin\fR, \fBlen\fR, \fBupper\fR and \fBlower\fR; \fB\et\fR and \fB\en\fR are a tab and a line's end.
.SH EXIT STATUS
.TP
0
done
.TP
1
error
.TP
2
usage: the command line, or a value in it, is wrong
.TP
3
not loaded or inactive
.TP
4
not found
.TP
5
refused: would not fit, in use, forbidden
.TP
6
the daemon is unreachable
.TP
130
interrupted
.SH ENVIRONMENT
.TP
.B ROUTERD_HOST
the daemon's address, as for \fB\-\-host\fR
.TP
.B ROUTERD_API_KEY
the key for a public listener that asks for one
.TP
.B NO_COLOR
no colours when it is not empty
.TP
.BR VISUAL ", " EDITOR
the editor of \fBprofile edit\fR
.SH SEE ALSO
.BR routerd (8),
.BR routerd.toml (5),
.BR routerd\-api (7)
)";

}  // namespace

std::string manual_page(const CLI::App& root) {
    std::string page = head;
    page += ".SH OPTIONS\n";
    write_options(root, page);
    page += ".SH COMMANDS\n";
    for (const auto* command : root.get_subcommands([](const CLI::App*) { return true; })) {
        write_command(*command, command->get_name(), page);
    }
    return page + tail;
}

}  // namespace routerd::ctl
