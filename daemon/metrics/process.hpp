#pragma once

namespace routerd::metrics {

class Text;

/// What the kernel says of this process (process_…); what it does not say is left out. Reads /proc,
/// which takes no disk: for any thread.
void write_process(Text& text);

}  // namespace routerd::metrics
