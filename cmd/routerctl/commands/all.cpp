#include "cmd/routerctl/commands/all.hpp"

namespace routerd::ctl {

void add_all_commands(CLI::App& root, Invocation& invocation) {
    add_status(root, invocation);
    add_ls(root, invocation);
    add_show(root, invocation);
    add_ps(root, invocation);
    add_load(root, invocation);
    add_unload(root, invocation);
    add_restart(root, invocation);
    add_reset(root, invocation);
    add_switch(root, invocation);
    add_run(root, invocation);
    add_pull(root, invocation);
    add_pulls(root, invocation);
    add_rm(root, invocation);
    add_prune(root, invocation);
    add_rescan(root, invocation);
    add_enable(root, invocation);
    add_disable(root, invocation);
    add_tier(root, invocation);
    add_thinking(root, invocation);
    add_pin(root, invocation);
    add_unpin(root, invocation);
    add_alias(root, invocation);
    add_set(root, invocation);
    add_unset(root, invocation);
    add_profile(root, invocation);
    add_logs(root, invocation);
    add_events(root, invocation);
    add_memory(root, invocation);
    add_estimate(root, invocation);
    add_queue(root, invocation);
    add_requests(root, invocation);
    add_why(root, invocation);
    add_keys(root, invocation);
    add_config(root, invocation);
    add_log_level(root, invocation);
    add_shutdown(root, invocation);
    add_upgrade(root, invocation);
    add_doctor(root, invocation);
    add_completion(root, invocation);
    add_version(root, invocation);
}

}  // namespace routerd::ctl
