#include "daemon/catalog/identity.hpp"

#include <algorithm>

#include <gtest/gtest.h>

#include "daemon/catalog/file_name.hpp"

namespace routerd {
namespace {

FoundModel model_at(const std::string& path, std::size_t place = 1) {
    FoundModel model;
    model.files = {path};
    model.stem = stem_of(base_name(path));
    model.parent = base_name(parent_path(path));
    model.place = place;
    return model;
}

std::string id_of(const std::vector<FoundModel>& models, const std::string& path) {
    for (const auto& model : models) {
        if (model.files.front() == path) {
            return model.id;
        }
    }
    return {};
}

TEST(IdentityTest, PutsTheFolderInFrontOfAllButOne) {
    std::vector models{model_at("/m/b/X.gguf"), model_at("/m/a/X.gguf"), model_at("/m/Y.gguf")};
    assign_ids(models, {});
    EXPECT_EQ(id_of(models, "/m/a/X.gguf"), "x");
    EXPECT_EQ(id_of(models, "/m/b/X.gguf"), "b-x");
    EXPECT_EQ(id_of(models, "/m/Y.gguf"), "y");
}

TEST(IdentityTest, DoesNotDependOnTheOrderOfTheScan) {
    std::vector models{model_at("/m/a/x.gguf"), model_at("/m/b/x.gguf"), model_at("/n/a/x.gguf", 2),
                       model_at("/m/a-x.gguf"), model_at("/m/b-x.gguf")};
    assign_ids(models, {});
    auto shuffled = models;
    std::sort(shuffled.begin(), shuffled.end(),
              [](const auto& a, const auto& b) { return a.files > b.files; });
    assign_ids(shuffled, {});
    for (const auto& model : models) {
        EXPECT_EQ(id_of(shuffled, model.files.front()), model.id);
    }
}

TEST(IdentityTest, ACopyThatIsAddedRenamesNothing) {
    std::vector first{model_at("/m/z/x.gguf")};
    assign_ids(first, {});
    KnownIds known{{first[0].files.front(), first[0].id}};
    std::vector both{model_at("/m/a/x.gguf"), model_at("/m/z/x.gguf")};
    assign_ids(both, known);
    EXPECT_EQ(id_of(both, "/m/z/x.gguf"), "x");
    EXPECT_EQ(id_of(both, "/m/a/x.gguf"), "a-x");

    // After a restart only the contested names are known.
    std::vector later{model_at("/m/a/x.gguf"), model_at("/m/z/x.gguf")};
    assign_ids(later, contested_ids(both));
    EXPECT_EQ(id_of(later, "/m/z/x.gguf"), "x");
}

TEST(IdentityTest, GivesAConfiguredIdToItsFile) {
    auto own = model_at("/other/x.gguf", 0);
    own.config_id = "y";
    std::vector models{model_at("/m/y.gguf"), own};
    assign_ids(models, {});
    EXPECT_EQ(id_of(models, "/other/x.gguf"), "y");
    EXPECT_EQ(id_of(models, "/m/y.gguf"), "m-y");
}

TEST(IdentityTest, NumbersWhatNoFolderTellsApart) {
    std::vector models{model_at("/a/x!.gguf"), model_at("/a/x?.gguf"), model_at("/a/x#.gguf"),
                       model_at("/a/x+.gguf")};
    assign_ids(models, {});
    std::vector<std::string> ids;
    for (const auto& model : models) {
        ids.push_back(model.id);
    }
    std::sort(ids.begin(), ids.end());
    EXPECT_EQ(std::unique(ids.begin(), ids.end()), ids.end());
    EXPECT_EQ(ids.front(), "a-x");
    EXPECT_EQ(ids.back(), "x");
}

}  // namespace
}  // namespace routerd
