# A room is a folder, a static library and a layer. It sees only the rooms it names in DEPENDS:
# each room's headers are reached through a folder of links that holds that room alone, so an
# include of a room that is not named does not compile.

include("${CMAKE_CURRENT_LIST_DIR}/embed_text.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/profile.cmake")

# routerd_add_room(daemon/gguf SOURCES reader.cpp … DEPENDS common/base … LIBRARIES SQLite::SQLite3 [ASIO] [HOT])
# LIBRARIES are private: a heavy header stays inside the room. ASIO: the room's sources use Boost.Asio,
# and share one precompiled header of it. HOT: requests pass through it, see profile.cmake.
function(routerd_add_room room)
    cmake_parse_arguments(ARG "ASIO;HOT" "" "SOURCES;DEPENDS;LIBRARIES;PUBLIC_LIBRARIES" ${ARGN})
    string(REPLACE "/" "_" target "routerd_${room}")
    set(view "${CMAKE_BINARY_DIR}/rooms/${target}")
    get_filename_component(parent "${room}" DIRECTORY)
    file(MAKE_DIRECTORY "${view}/${parent}")
    file(CREATE_LINK "${CMAKE_SOURCE_DIR}/${room}" "${view}/${room}" SYMBOLIC)

    list(TRANSFORM ARG_SOURCES PREPEND "${CMAKE_SOURCE_DIR}/${room}/")
    if(ARG_SOURCES)
        add_library(${target} STATIC ${ARG_SOURCES})
        set(scope PUBLIC)
        target_link_libraries(${target} PRIVATE routerd_flags ${ARG_LIBRARIES})
        routerd_join_sources(${target})
        if(ARG_ASIO)
            routerd_use_asio_pch(${target})
        endif()
        if(ARG_HOT)
            routerd_use_profile(${target})
        endif()
    else()
        add_library(${target} INTERFACE)
        set(scope INTERFACE)
    endif()
    target_include_directories(${target} ${scope} "${view}")
    foreach(dependency IN LISTS ARG_DEPENDS)
        string(REPLACE "/" "_" name "routerd_${dependency}")
        target_link_libraries(${target} ${scope} ${name})
    endforeach()
    target_link_libraries(${target} ${scope} routerd_asio ${ARG_PUBLIC_LIBRARIES})
endfunction()

# What Boost.Asio has that is no template, where it is compiled apart from those who use it.
add_library(routerd_asio INTERFACE)
target_link_libraries(routerd_asio INTERFACE Threads::Threads)
if(ROUTERD_ASIO_APART)
    file(CONFIGURE OUTPUT "${CMAKE_BINARY_DIR}/asio/asio.cpp" @ONLY # which leaves it alone if it is so
        CONTENT "#include <boost/asio/impl/src.hpp>\n")
    add_library(routerd_asio_apart STATIC "${CMAKE_BINARY_DIR}/asio/asio.cpp")
    target_link_libraries(routerd_asio_apart PRIVATE routerd_flags)
    target_link_libraries(routerd_asio INTERFACE routerd_asio_apart)
endif()

# Joined sources are parsed once, not ROUTERD_UNITY times: for builds from scratch.
function(routerd_join_sources target)
    if(ROUTERD_UNITY GREATER 1)
        set_target_properties(${target} PROPERTIES UNITY_BUILD ON
            UNITY_BUILD_BATCH_SIZE ${ROUTERD_UNITY})
    endif()
endfunction()

set(ROUTERD_ASIO_HEADERS
    <boost/asio/as_tuple.hpp> <boost/asio/awaitable.hpp> <boost/asio/co_spawn.hpp>
    <boost/asio/generic/stream_protocol.hpp> <boost/asio/io_context.hpp>
    <boost/asio/steady_timer.hpp> <boost/asio/use_awaitable.hpp>
    <chrono> <functional> <memory> <optional> <string> <string_view> <utility> <vector>)

# Parses the headers that follow once, for all targets that REUSE_FROM ${name}.
function(routerd_add_pch name)
    file(CONFIGURE OUTPUT "${CMAKE_BINARY_DIR}/pch/${name}.cpp" CONTENT "" @ONLY)
    add_library(${name} STATIC "${CMAKE_BINARY_DIR}/pch/${name}.cpp")
    target_link_libraries(${name} PRIVATE routerd_flags Threads::Threads)
    target_precompile_headers(${name} PRIVATE ${ARGN})
endfunction()

# Boost.Asio's coroutine headers cost two seconds a source file.
function(routerd_use_asio_pch target)
    if(NOT TARGET routerd_asio_pch)
        routerd_add_pch(routerd_asio_pch ${ROUTERD_ASIO_HEADERS})
    endif()
    target_link_libraries(${target} PRIVATE Threads::Threads)
    target_precompile_headers(${target} REUSE_FROM routerd_asio_pch)
endfunction()

# The same with GoogleMock's, which cost as much.
function(routerd_use_test_pch target)
    if(NOT TARGET routerd_test_pch)
        routerd_add_pch(routerd_test_pch ${ROUTERD_ASIO_HEADERS} <gmock/gmock.h> <gtest/gtest.h>)
        target_link_libraries(routerd_test_pch PRIVATE GTest::gmock)
        target_compile_options(routerd_test_pch PRIVATE -O0)
    endif()
    target_precompile_headers(${target} REUSE_FROM routerd_test_pch)
    target_compile_options(${target} PRIVATE -O0) # what is tested is optimized, not the tests
endfunction()

# routerd_add_unit_test(daemon/gguf SOURCES reader_test.cpp … [ROOMS more/rooms] [LIBRARIES …]
#                       [MAY_SKIP Suite.Test*])
# One binary a room, from tests/unit/<room>/, and one ctest entry: under a sanitizer a process takes
# longer to begin than most tests to run. Their order is another one each time, so that none comes to
# need it. Tests that may be skipped (a gtest filter) are entries of their own, so that ctest says so.
function(routerd_add_unit_test room)
    cmake_parse_arguments(ARG "" "MAY_SKIP" "SOURCES;ROOMS;LIBRARIES" ${ARGN})
    string(REPLACE "/" "_" target "${room}_test")
    list(TRANSFORM ARG_SOURCES PREPEND "${CMAKE_SOURCE_DIR}/tests/unit/${room}/")
    add_executable(${target} ${ARG_SOURCES})
    foreach(dependency IN ITEMS ${room} LISTS ARG_ROOMS)
        string(REPLACE "/" "_" name "routerd_${dependency}")
        target_link_libraries(${target} PRIVATE ${name})
    endforeach()
    target_link_libraries(${target} PRIVATE routerd_flags GTest::gmock GTest::gtest_main ${ARG_LIBRARIES})
    routerd_use_test_pch(${target})
    routerd_join_sources(${target})
    set(filter "")
    if(ARG_MAY_SKIP)
        set(filter "--gtest_filter=-${ARG_MAY_SKIP}")
        gtest_discover_tests(${target} DISCOVERY_MODE PRE_TEST TEST_PREFIX "${room}:"
            TEST_FILTER "${ARG_MAY_SKIP}" PROPERTIES TIMEOUT 120 LABELS unit)
    endif()
    add_test(NAME "${room}" COMMAND ${target} --gtest_shuffle --gtest_brief=1 ${filter})
    set_tests_properties("${room}" PROPERTIES TIMEOUT 600 LABELS unit)
endfunction()
