#pragma once

namespace CLI {
class App;
}

namespace routerd::ctl {

struct Invocation;

/// Adds every command to `root`, in the order of the help and the manual page.
void add_all_commands(CLI::App& root, Invocation& invocation);

// One for each file of this folder. `invocation` outlives `root`.
void add_status(CLI::App& root, Invocation& invocation);
void add_ls(CLI::App& root, Invocation& invocation);
void add_show(CLI::App& root, Invocation& invocation);
void add_shutdown(CLI::App& root, Invocation& invocation);
void add_ps(CLI::App& root, Invocation& invocation);
void add_keys(CLI::App& root, Invocation& invocation);
void add_load(CLI::App& root, Invocation& invocation);
void add_log_level(CLI::App& root, Invocation& invocation);
void add_upgrade(CLI::App& root, Invocation& invocation);
void add_unload(CLI::App& root, Invocation& invocation);
void add_restart(CLI::App& root, Invocation& invocation);
void add_reset(CLI::App& root, Invocation& invocation);
void add_switch(CLI::App& root, Invocation& invocation);
void add_run(CLI::App& root, Invocation& invocation);
void add_pull(CLI::App& root, Invocation& invocation);
void add_pulls(CLI::App& root, Invocation& invocation);
void add_rm(CLI::App& root, Invocation& invocation);
void add_prune(CLI::App& root, Invocation& invocation);
void add_rescan(CLI::App& root, Invocation& invocation);
void add_enable(CLI::App& root, Invocation& invocation);
void add_disable(CLI::App& root, Invocation& invocation);
void add_tier(CLI::App& root, Invocation& invocation);
void add_thinking(CLI::App& root, Invocation& invocation);
void add_pin(CLI::App& root, Invocation& invocation);
void add_unpin(CLI::App& root, Invocation& invocation);
void add_alias(CLI::App& root, Invocation& invocation);
void add_set(CLI::App& root, Invocation& invocation);
void add_unset(CLI::App& root, Invocation& invocation);
void add_profile(CLI::App& root, Invocation& invocation);
void add_logs(CLI::App& root, Invocation& invocation);
void add_events(CLI::App& root, Invocation& invocation);
void add_memory(CLI::App& root, Invocation& invocation);
void add_estimate(CLI::App& root, Invocation& invocation);
void add_queue(CLI::App& root, Invocation& invocation);
void add_requests(CLI::App& root, Invocation& invocation);
void add_why(CLI::App& root, Invocation& invocation);
void add_config(CLI::App& root, Invocation& invocation);
void add_doctor(CLI::App& root, Invocation& invocation);
void add_completion(CLI::App& root, Invocation& invocation);
void add_version(CLI::App& root, Invocation& invocation);

}  // namespace routerd::ctl
