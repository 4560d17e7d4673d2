#include "ctl_fixture.hpp"

namespace routerd::ctl {
namespace {

TEST_F(CtlTest, TheManualPageIsThatOfTheCommands) {
    EXPECT_EQ(ctl({"__man"}).out, source_file("man/routerctl.1"))
        << "renew it with: cmake --build BUILD --target update_man";
}

}  // namespace
}  // namespace routerd::ctl
