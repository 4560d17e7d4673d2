#include "daemon/pull/plan_json.hpp"

#include <nlohmann/json.hpp>

#include "common/base/text.hpp"

namespace routerd::pull {
namespace {

using nlohmann::json;

json file_to_json(const RemoteFile& file) {
    json out{
        {"path", file.path}, {"url", file.url}, {"local", file.local}, {"sha256", file.sha256}};
    if (file.size) {
        out["size"] = *file.size;
    }
    return out;
}

RemoteFile file_from_json(const json& in) {
    RemoteFile file;
    file.path = in.at("path").get<std::string>();
    file.url = in.at("url").get<std::string>();
    file.local = in.at("local").get<std::string>();
    file.sha256 = in.at("sha256").get<std::string>();
    if (const auto size = in.find("size"); size != in.end()) {
        file.size = size->get_ref<const json::number_unsigned_t&>();  // no other is converted
    }
    return file;
}

}  // namespace

std::string to_json(const Plan& plan) {
    json files = json::array();
    for (const auto& file : plan.files) {
        files.push_back(file_to_json(file));
    }
    json out{{"name", plan.name},
             {"files", std::move(files)},
             {"notes", plan.notes},
             {"overrides", plan.overrides},
             {"chat_template", plan.chat_template},
             {"root", plan.root},
             {"in_hub_cache", plan.in_hub_cache}};
    if (plan.hub) {
        out["hub"] = {{"repo", plan.hub->repo}, {"revision", plan.hub->revision}};
    }
    return out.dump(-1, ' ', false, json::error_handler_t::replace);
}

Result<Plan> plan_from_json(std::string_view text) {
    try {
        const auto in = json::parse(text);
        Plan plan;
        plan.name = in.at("name").get<std::string>();
        for (const auto& file : in.at("files")) {
            plan.files.push_back(file_from_json(file));
        }
        plan.notes = in.at("notes").get<std::vector<std::string>>();
        plan.overrides = in.at("overrides").get<std::vector<std::pair<std::string, std::string>>>();
        plan.chat_template = in.at("chat_template").get<std::string>();
        plan.root = in.at("root").get<std::string>();
        plan.in_hub_cache = in.at("in_hub_cache").get<bool>();
        if (const auto hub = in.find("hub"); hub != in.end()) {
            plan.hub = HubRevision{hub->at("repo").get<std::string>(),
                                   hub->at("revision").get<std::string>()};
        }
        return plan;
    } catch (const json::exception& error) {
        return Error(Errc::invalid_request, "a kept plan: " + escaped(error.what()));
    }
}

}  // namespace routerd::pull
