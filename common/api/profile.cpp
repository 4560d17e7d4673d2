#include "common/api/profile.hpp"

#include "common/api/fields.hpp"

namespace routerd::api {

template <class Io>
void fields(Io& io, Of<Io, Profile> profile) {
    io("name", profile.name);
    io("description", profile.description);
    io("enabled_models", profile.enabled_models);
    io("overrides", profile.overrides);
    io("preload", profile.preload);
    io("default_model", profile.default_model);
    io("active", profile.active);
}

ROUTERD_API_CODEC(Profile);
ROUTERD_API_CODEC(ProfileList);

}  // namespace routerd::api
