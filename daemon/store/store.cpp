#include "daemon/store/store.hpp"

namespace routerd {

Result<std::unique_ptr<Store>> Store::open(const std::string& state_dir) {
    auto opened = open_state_database(state_dir + "/state.db");
    if (!opened) {
        return opened.error();
    }
    // make_unique cannot reach the private constructor.
    return std::unique_ptr<Store>(
        new Store(std::move(opened->database), std::move(opened->report)));
}

Store::Store(Database database, OpenReport report)
    : database_(std::move(database)), report_(std::move(report)) {}

Store::~Store() {
    join();
}

void Store::join() {
    thread_.join();
}

}  // namespace routerd
