# Every library that Weft is linked with. Debian's packages, but for DuckDB, which tools/setup fetches
# from npm: the library, and the C++ headers of the same version.

find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(ZLIB REQUIRED)
find_package(CURL REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(GTest REQUIRED)
find_package(Boost 1.81 REQUIRED)
find_package(CLI11 REQUIRED)
find_package(prometheus-cpp CONFIG REQUIRED)
find_package(simdjson REQUIRED)
pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET libzstd)
pkg_check_modules(NGHTTP2 REQUIRED IMPORTED_TARGET libnghttp2)
pkg_check_modules(PCRE2 REQUIRED IMPORTED_TARGET libpcre2-8)
pkg_check_modules(SQLITE REQUIRED IMPORTED_TARGET sqlite3)

# The allocator of the programs that serve requests, which one thread allocates and another frees.
# Sanitizers bring their own.
add_library(weft_allocator INTERFACE)
if(NOT WEFT_SANITIZE)
  find_library(JEMALLOC libjemalloc.a REQUIRED)
  target_link_libraries(weft_allocator INTERFACE ${JEMALLOC} Threads::Threads ${CMAKE_DL_LIBS} m)
endif()

find_path(SOCI_INCLUDE soci/soci.h REQUIRED)
find_library(SOCI_CORE soci_core REQUIRED)
find_library(SOCI_SQLITE3 soci_sqlite3 REQUIRED)
add_library(soci INTERFACE)
target_include_directories(soci SYSTEM INTERFACE ${SOCI_INCLUDE})
target_link_libraries(soci INTERFACE ${SOCI_SQLITE3} ${SOCI_CORE} PkgConfig::SQLITE)

set(WEFT_DUCKDB_LIBRARY ${WEFT_DEPS}/node_modules/@duckdb/node-bindings-linux-x64/libduckdb.so)
set(WEFT_DUCKDB_HEADERS ${WEFT_DEPS}/node_modules/duckdb/src/duckdb/src/include)
if(NOT EXISTS ${WEFT_DUCKDB_LIBRARY} OR NOT EXISTS ${WEFT_DUCKDB_HEADERS})
  message(FATAL_ERROR "DuckDB is missing under ${WEFT_DEPS}: run tools/setup")
endif()
add_library(duckdb SHARED IMPORTED)
set_target_properties(duckdb PROPERTIES
  IMPORTED_LOCATION ${WEFT_DUCKDB_LIBRARY}
  INTERFACE_INCLUDE_DIRECTORIES ${WEFT_DUCKDB_HEADERS})
