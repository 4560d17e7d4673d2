# One set of flags for every target of ours; libraries come in as system includes.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
# All of our libraries end up in executables. Without this CMake takes them for parts of shared ones,
# -fPIC, where any function might be replaced at run time: none could be inlined or called directly.
set(CMAKE_CXX_COMPILE_OPTIONS_PIC -fPIE)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

add_library(routerd_flags INTERFACE)
target_compile_definitions(routerd_flags INTERFACE
    BOOST_ASIO_NO_DEPRECATED
    # A request's way is some ten coroutines deep; with the default of 2, most frames are malloc()ed.
    BOOST_ASIO_RECYCLING_ALLOCATOR_CACHE_SIZE=16
    ROUTERD_VERSION="${PROJECT_VERSION}")
target_compile_options(routerd_flags INTERFACE
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wold-style-cast
    -Wnon-virtual-dtor -Woverloaded-virtual -Wcast-align -Wformat=2 -Wimplicit-fallthrough
    -Wswitch-enum)
set(ROUTERD_UNITY 0 CACHE STRING "how many sources of a room are compiled as one; 0: each by itself")
option(ROUTERD_WERROR "treat warnings as errors" ON)
if(ROUTERD_WERROR)
    target_compile_options(routerd_flags INTERFACE -Werror)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # -Wmismatched-new-delete and -Wnull-dereference are false with coroutines in g++ 12.
    # -fpch-preprocess: else ccache passes over all that has a precompiled header.
    target_compile_options(routerd_flags INTERFACE -fpch-preprocess
        -Wduplicated-cond -Wduplicated-branches -Wlogical-op -Wsuggest-override
        -Wno-mismatched-new-delete)
    if(ROUTERD_UNITY GREATER 1)
        # A joined source is an include to the compiler, and what has no linkage there alarms it.
        target_compile_options(routerd_flags INTERFACE -Wno-subobject-linkage)
        # It is also large: without these KiB to begin with, a tenth of g++'s time goes into searches
        # for memory to use again.
        target_compile_options(routerd_flags INTERFACE "SHELL:--param ggc-min-heapsize=524288")
    endif()
endif()
# Where nothing is inlined, what Boost.Asio has that is no template is compiled once, not in each room
# that uses it: a tenth of what g++ makes.
if(NOT CMAKE_BUILD_TYPE STREQUAL "Release")
    set(ROUTERD_ASIO_APART ON)
    target_compile_definitions(routerd_flags INTERFACE BOOST_ASIO_SEPARATE_COMPILATION)
endif()
if(ROUTERD_SANITIZE)
    # g++ says itself that -Wmaybe-uninitialized is often false with sanitizers.
    target_compile_options(routerd_flags INTERFACE
        $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>
        -fsanitize=${ROUTERD_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
    target_link_options(routerd_flags INTERFACE -fsanitize=${ROUTERD_SANITIZE})
    # Tests are many large programs, and this one links them in a quarter of the time.
    find_program(ROUTERD_LLD ld.lld)
    if(ROUTERD_LLD)
        target_link_options(routerd_flags INTERFACE -fuse-ld=lld)
    endif()
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND ROUTERD_SANITIZE MATCHES "undefined")
        # Checks before each access to a member, of each pointer that is added to, and of the type at
        # each virtual call: half of what g++ makes, a third of its time. ASan tells of a pointer
        # that is null, dangles or left its block all the same; clang's fuzz targets keep all four
        # over every parser.
        target_compile_options(routerd_flags INTERFACE
            -fno-sanitize=null,alignment,vptr,pointer-overflow)
    endif()
    if(ROUTERD_SANITIZE MATCHES "thread")
        target_compile_options(routerd_flags INTERFACE -Wno-tsan)
    endif()
endif()
if(CMAKE_BUILD_TYPE STREQUAL "Release")
    target_compile_options(routerd_flags INTERFACE
        -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fcf-protection)
    target_link_options(routerd_flags INTERFACE -pie -Wl,-z,relro,-z,now)
endif()
