#pragma once

#include <memory>

#include <curl/curl.h>

#include "common/base/result.hpp"

namespace routerd::transfer {

/// libcurl, loaded when the first transfer begins: it brings some thirty libraries along, which a
/// daemon that fetches nothing neither waits for at its start nor keeps in memory. The functions
/// are those of its documented and stable ABI, libcurl.so.4.
struct CurlLibrary {
    decltype(&curl_global_init) global_init = nullptr;
    decltype(&curl_easy_init) easy_init = nullptr;
    decltype(&curl_easy_cleanup) easy_cleanup = nullptr;
    decltype(&curl_easy_reset) easy_reset = nullptr;
    // The macro of the same name checks types; with what is behind it there is no such check.
    CURLcode (*easy_setopt)(CURL*, CURLoption, ...) = nullptr;
    CURLcode (*easy_getinfo)(CURL*, CURLINFO, ...) = nullptr;
    decltype(&curl_easy_pause) easy_pause = nullptr;
    decltype(&curl_easy_strerror) easy_strerror = nullptr;
    decltype(&curl_multi_init) multi_init = nullptr;
    decltype(&curl_multi_cleanup) multi_cleanup = nullptr;
    decltype(&curl_multi_add_handle) multi_add_handle = nullptr;
    decltype(&curl_multi_remove_handle) multi_remove_handle = nullptr;
    decltype(&curl_multi_perform) multi_perform = nullptr;
    decltype(&curl_multi_poll) multi_poll = nullptr;
    decltype(&curl_multi_wakeup) multi_wakeup = nullptr;
    decltype(&curl_multi_info_read) multi_info_read = nullptr;
    decltype(&curl_slist_append) slist_append = nullptr;
    decltype(&curl_slist_free_all) slist_free_all = nullptr;
};

/// Loads it once in the life of the process; later calls give the same. Any thread, one at a time.
/// Errors: unavailable, with the package that has it.
Result<const CurlLibrary*> load_curl();

}  // namespace routerd::transfer
