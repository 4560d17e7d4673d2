# routerd_embed_text(target FILE HEADER x.hpp NAMESPACE a::b FUNCTION name)
# Builds the text of FILE into `target`, as what `std::string_view name() noexcept` returns.
# Run as a script it does the work: FILE, OUTPUT, HEADER, NAMESPACE and FUNCTION are given with -D.
if(CMAKE_SCRIPT_MODE_FILE)
    file(READ "${FILE}" text)
    file(WRITE "${OUTPUT}" "#include \"${HEADER}\"

namespace ${NAMESPACE} {

std::string_view ${FUNCTION}() noexcept {
    return R\"text(${text})text\";
}

}  // namespace ${NAMESPACE}
")
    return()
endif()

set(routerd_embed_script "${CMAKE_CURRENT_LIST_FILE}")
function(routerd_embed_text target file)
    cmake_parse_arguments(ARG "" "HEADER;NAMESPACE;FUNCTION" "" ${ARGN})
    set(output "${CMAKE_CURRENT_BINARY_DIR}/${ARG_FUNCTION}.cpp")
    add_custom_command(OUTPUT "${output}"
        COMMAND "${CMAKE_COMMAND}" "-DFILE=${file}" "-DOUTPUT=${output}"
            "-DHEADER=${ARG_HEADER}" "-DNAMESPACE=${ARG_NAMESPACE}" "-DFUNCTION=${ARG_FUNCTION}"
            -P "${routerd_embed_script}"
        DEPENDS "${file}" "${routerd_embed_script}"
        COMMENT "Embedding ${file}" VERBATIM)
    target_sources(${target} PRIVATE "${output}")
endfunction()
