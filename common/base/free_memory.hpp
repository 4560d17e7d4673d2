#pragma once

namespace routerd {

/// Empties a string or a vector and gives its memory back. Assigning {} to one does not: that is
/// the assignment of a list without elements, which keeps the capacity.
template <class Container>
void free_memory(Container& container) noexcept {
    Container().swap(container);
}

}  // namespace routerd
