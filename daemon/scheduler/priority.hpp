#pragma once

namespace routerd {

/// What a request says of its own hurry; the order of the bands in a queue.
enum class Priority { high, normal, low };

}  // namespace routerd
