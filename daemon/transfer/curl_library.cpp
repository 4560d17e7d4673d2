#include "daemon/transfer/curl_library.hpp"

#include <string>

#include <dlfcn.h>

namespace routerd::transfer {
namespace {

constexpr const char* library_name = "libcurl.so.4";

template <class Function>
bool find(void* library, const char* name, Function& function) {
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): what dlsym() is made for
    function = reinterpret_cast<Function>(::dlsym(library, name));
    return function != nullptr;
}

bool find_all(void* library, CurlLibrary& curl) {
    return find(library, "curl_global_init", curl.global_init) &&
           find(library, "curl_easy_init", curl.easy_init) &&
           find(library, "curl_easy_cleanup", curl.easy_cleanup) &&
           find(library, "curl_easy_reset", curl.easy_reset) &&
           find(library, "curl_easy_setopt", curl.easy_setopt) &&
           find(library, "curl_easy_getinfo", curl.easy_getinfo) &&
           find(library, "curl_easy_pause", curl.easy_pause) &&
           find(library, "curl_easy_strerror", curl.easy_strerror) &&
           find(library, "curl_multi_init", curl.multi_init) &&
           find(library, "curl_multi_cleanup", curl.multi_cleanup) &&
           find(library, "curl_multi_add_handle", curl.multi_add_handle) &&
           find(library, "curl_multi_remove_handle", curl.multi_remove_handle) &&
           find(library, "curl_multi_perform", curl.multi_perform) &&
           find(library, "curl_multi_poll", curl.multi_poll) &&
           find(library, "curl_multi_wakeup", curl.multi_wakeup) &&
           find(library, "curl_multi_info_read", curl.multi_info_read) &&
           find(library, "curl_slist_append", curl.slist_append) &&
           find(library, "curl_slist_free_all", curl.slist_free_all);
}

Error not_there(const std::string& why) {
    return Error(Errc::unavailable, why)
        .within("load libcurl.so.4, which downloads need")
        .with_hint("install it: apt install libcurl4");
}

}  // namespace

Result<const CurlLibrary*> load_curl() {
    static CurlLibrary curl;
    static bool loaded = false;
    if (loaded) {
        return &curl;
    }
    // Never closed: its libraries have threads and handlers of their own.
    void* const library = ::dlopen(library_name, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (library == nullptr) {
        const char* const said = ::dlerror();  // NOLINT(concurrency-mt-unsafe): a thread's own
        return not_there(said == nullptr ? "not found" : said);
    }
    if (!find_all(library, curl)) {
        return not_there("it is too old");
    }
    const auto begun = curl.global_init(CURL_GLOBAL_DEFAULT);
    if (begun != CURLE_OK) {
        return not_there(curl.easy_strerror(begun));
    }
    loaded = true;
    return &curl;
}

}  // namespace routerd::transfer
