# Run as a script: turns FROM (text) into TO, a C++ file that defines openapi_document().
file(READ "${FROM}" text)
file(WRITE "${TO}" "#include \"common/api/openapi.hpp\"

namespace routerd::api {

std::string_view openapi_document() noexcept {
    return R\"openapi(${text})openapi\";
}

}  // namespace routerd::api
")
