# A build that was trained (scripts/train): the rooms on a request's way are laid out by what they did
# under load. What never ran is made small and put out of the way, so that a request touches fewer
# lines of the processor's caches.
set(ROUTERD_PROFILE "" CACHE STRING "of the HOT rooms: record what they do, use what was recorded, or empty")
set_property(CACHE ROUTERD_PROFILE PROPERTY STRINGS "" record use)
if(ROUTERD_PROFILE AND NOT CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    message(FATAL_ERROR "ROUTERD_PROFILE needs g++")
endif()

# What a room did lies beside its objects (*.gcda), where the compiler looks for it too.
function(routerd_use_profile target)
    if(ROUTERD_PROFILE STREQUAL "record")
        target_compile_options(${target} PRIVATE -fprofile-generate -fprofile-update=atomic)
        target_link_options(${target} INTERFACE -fprofile-generate)
    elseif(ROUTERD_PROFILE STREQUAL "use")
        # -fprofile-correction: threads that were ended in the middle leave counts that do not add up.
        target_compile_options(${target} PRIVATE -fprofile-use -fprofile-correction)
    endif()
endfunction()
