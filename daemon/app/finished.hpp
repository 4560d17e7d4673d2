#pragma once

#include "daemon/proxy/account.hpp"
#include "daemon/telemetry/finished_request.hpp"

namespace routerd {

/// The proxy's record as telemetry takes it, which stands above the proxy and does not know it.
/// The views are those of `record`.
inline FinishedRequest to_finished(const Record& record) {
    FinishedRequest request;
    request.request = record.request_id;
    request.endpoint = record.endpoint;
    request.route = record.route;
    request.model = record.model;
    request.status = record.status;
    request.error = record.error;
    request.stream = record.stream;
    request.bytes = record.bytes;
    request.prompt_tokens = record.prompt_tokens;
    request.completion_tokens = record.completion_tokens;
    request.tokens_per_second = record.tokens_per_second;
    request.queued = record.queued;
    request.loaded = record.loaded;
    request.first_byte = record.first_byte;
    request.took = record.took;
    return request;
}

}  // namespace routerd
