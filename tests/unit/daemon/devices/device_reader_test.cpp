#include "daemon/devices/device_reader.hpp"

#include <gtest/gtest.h>

#include "common/base/units.hpp"
#include "tests/support/temp_dir.hpp"

namespace routerd {
namespace {

class DeviceReaderTest : public testing::Test {
  protected:
    DeviceReaderTest() {
        folder_.write("proc/meminfo", "MemTotal: 1048576 kB\nMemAvailable: 524288 kB\n");
    }
    void write_card(const std::string& card, const std::string& vendor, const std::string& pci) {
        const auto path = "sys/class/drm/" + card + "/device/";
        folder_.write(path + "vendor", vendor + "\n");
        folder_.write(path + "uevent", "DRIVER=amdgpu\nPCI_SLOT_NAME=" + pci + "\n");
        folder_.write(path + "mem_info_vram_total", std::to_string(16384 * mib) + "\n");
        folder_.write(path + "mem_info_vram_used", std::to_string(384 * mib) + "\n");
        folder_.write(path + "mem_info_gtt_total", std::to_string(512 * mib) + "\n");
        folder_.write(path + "mem_info_gtt_used", std::to_string(2 * mib) + "\n");
    }
    DeviceReadings read(const std::vector<pid_t>& pids = {}) {
        DeviceReader reader(roots_, "libnvidia-ml-of-nobody.so.1");
        return reader.read(pids);
    }

    test::TempDir folder_;
    Roots roots_{folder_ / "proc", folder_ / "sys"};
};

TEST_F(DeviceReaderTest, AMachineWithoutGpusIsNoProblem) {
    const auto readings = read();
    ASSERT_EQ(readings.devices.size(), 1U);
    EXPECT_EQ(readings.devices[0].free, 512 * mib);
    EXPECT_TRUE(readings.problems.empty());
    EXPECT_EQ(readings.find("cuda0"), nullptr);
}

TEST_F(DeviceReaderTest, ReadsAmdCardsInTheOrderOfTheirAddresses) {
    write_card("card0", "0x1002", "0000:0b:00.0");
    write_card("card1", "0x1002", "0000:03:00.0");
    write_card("card2", "0x8086", "0000:00:02.0");  // another vendor
    folder_.write("sys/class/drm/card0-DP-1/status", "connected\n");
    folder_.write("sys/class/drm/card1/device/product_name", "Radeon Test\n");
    const auto readings = read();
    ASSERT_EQ(readings.devices.size(), 3U);
    const auto* first = readings.find("rocm0");
    ASSERT_NE(first, nullptr);
    EXPECT_EQ(first->device.uuid, "0000:03:00.0");
    EXPECT_EQ(first->device.name, "Radeon Test");
    EXPECT_EQ(first->total, 16384 * mib);
    EXPECT_EQ(first->free, 16000 * mib);
    EXPECT_EQ(first->shared_total, 512 * mib);
    EXPECT_EQ(first->shared_used, 2 * mib);
    EXPECT_EQ(readings.find("rocm1")->device.name, "AMD GPU");
}

TEST_F(DeviceReaderTest, KnowsWhatTheRuntimeCallsAnAmdCard) {
    write_card("card0", "0x1002", "0000:03:00.0");
    write_card("card1", "0x1002", "0000:0b:00.0");
    folder_.write("sys/class/drm/card0/device/unique_id", "7c6e1a2b3c4d5e6f\n");
    const auto readings = read();
    EXPECT_EQ(readings.find("rocm0")->device.visible_as, "GPU-7c6e1a2b3c4d5e6f");
    EXPECT_EQ(readings.find("rocm1")->device.visible_as, "1") << "an older card has only a number";
}

TEST_F(DeviceReaderTest, OneUnreadableCardLeavesTheOthers) {
    write_card("card0", "0x1002", "0000:03:00.0");
    write_card("card1", "0x1002", "0000:0b:00.0");
    folder_.write("sys/class/drm/card0/device/mem_info_vram_used", "?\n");
    const auto readings = read();
    ASSERT_TRUE(readings.find("rocm0")->error);
    EXPECT_FALSE(readings.find("rocm1")->error);
    EXPECT_FALSE(readings.find("host")->error);
}

TEST_F(DeviceReaderTest, CountsADrmClientOnceHoweverManyDescriptorsItHas) {
    write_card("card0", "0x1002", "0000:03:00.0");
    const std::string client = "drm-driver:\tamdgpu\ndrm-pdev:\t0000:03:00.0\ndrm-client-id:\t";
    folder_.write("proc/7/fdinfo/3", client + "1\ndrm-memory-vram:\t2048 KiB\n");
    folder_.write("proc/7/fdinfo/4", client + "1\ndrm-memory-vram:\t2048 KiB\n");
    folder_.write("proc/7/fdinfo/5",
                  client + "2\ndrm-memory-vram:\t9 KiB\ndrm-resident-vram:\t1024 KiB\n");
    folder_.write("proc/7/fdinfo/6", "pos:\t0\nflags:\t02\n");
    const auto readings = read({9, 7});
    const auto& processes = readings.find("rocm0")->processes;
    ASSERT_EQ(processes.size(), 1U);
    EXPECT_EQ(processes[0], (DeviceProcess{7, 3 * mib}));
}

TEST_F(DeviceReaderTest, ADriverThatDoesNotMatchIsAProblemOfItsKindAlone) {
    nvml::Api api;
    api.init = [] { return 18; };
    api.error_string = [](nvml::Status) { return "Driver/library version mismatch"; };
    DeviceReader reader(roots_, api);
    const auto readings = reader.read();
    ASSERT_EQ(readings.problems.size(), 1U);
    ASSERT_EQ(readings.devices.size(), 1U);
    EXPECT_FALSE(readings.devices[0].error);
}

}  // namespace
}  // namespace routerd
