#include "daemon/control/doctor.hpp"

#include "tests/unit/daemon/control/control_fixture.hpp"

namespace routerd::test {
namespace {

using testing::HasSubstr;

api::Check find(const std::vector<api::Check>& checks, const std::string& name) {
    for (const auto& check : checks) {
        if (check.name == name) {
            return check;
        }
    }
    return {};
}

TEST_F(ControlTest, TheDoctorFindsAHealthyDaemon) {
    live([](Client& client) {
        const auto list = client.doctor();
        ASSERT_TRUE(list) << list.error().message();
        for (const auto* name : {"control socket", "state directory", "models directory",
                                 "database", "llama-server", "models", "GPU libraries"}) {
            EXPECT_EQ(find(list->items, name).status, "ok")
                << name << ": " << find(list->items, name).message;
        }
    });
}

TEST_F(ControlTest, TheDoctorSaysWhatIsWrongAndWhatToDo) {
    loaded_.config.llama_server.path = dir_ / "no-such-program";
    loaded_.config.models.dirs.push_back(dir_ / "no-such-folder");
    loaded_.notes = {"environment REDIS_URL is ignored: no such feature"};
    dir_.write("state/state.db", "this is no database, but it is long enough to look like one");
    dir_.write("models/bad.gguf", "<html>");
    live([this](Client& client) {
        const auto list = client.doctor();
        ASSERT_TRUE(list) << list.error().message();
        EXPECT_EQ(find(list->items, "llama-server").status, "failed");
        EXPECT_EQ(find(list->items, "configuration").status, "warning");
        const auto database = find(list->items, "database");
        EXPECT_EQ(database.status, "warning");
        EXPECT_THAT(database.message, HasSubstr("state.db.corrupt-"));
        bool folder = false;
        bool file = false;
        for (const auto& check : list->items) {
            folder = folder || check.message.find("no-such-folder") != std::string::npos;
            file = file || check.message.find("bad.gguf") != std::string::npos;
        }
        EXPECT_TRUE(folder && file);
    });
}

}  // namespace
}  // namespace routerd::test
