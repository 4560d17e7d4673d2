#include "daemon/telemetry/telemetry.hpp"

#include "daemon/metrics/text.hpp"

namespace routerd {

void Telemetry::record(const FinishedRequest& request) {
    metrics::RequestSample sample;
    sample.model = request.model;
    sample.endpoint = request.route;
    sample.status = request.status;
    sample.took = request.took;
    if (request.first_byte.count() > 0) {
        sample.first_byte = request.first_byte;
    }
    sample.queued = request.queued;
    sample.prompt_tokens = request.prompt_tokens.value_or(0);
    sample.completion_tokens = request.completion_tokens.value_or(0);
    core_.record(sample);
    history_.add(request);
}

void Telemetry::write(metrics::Text& text) const {
    requests_.write(text);
    models_.write(text);
    text.single(metrics::history_lost, history_.skipped());
}

}  // namespace routerd
