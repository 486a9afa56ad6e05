# ferrule_sodium (where it computes), ferrule_nanopb: the application's own targets where it has them, else the system's
# libsodium, and nanopb compiled from the pinned archive (Debian's library is built with malloc).
set(FERRULE_DEPS_DIR ${PROJECT_SOURCE_DIR}/.deps CACHE PATH "Where scripts/fetch-sources unpacks")

option(FERRULE_TRIMMED_SODIUM "Compile libsodium's few files from the pinned archive"
  ${CMAKE_CROSSCOMPILING})

if(FERRULE_CRYPTO STREQUAL "sodium")
  add_library(ferrule_sodium INTERFACE)
endif()
if(NOT TARGET ferrule_sodium)
  # Another backend computes: cmake/crypto.cmake.
elseif(TARGET sodium)
  target_link_libraries(ferrule_sodium INTERFACE sodium)
elseif(FERRULE_TRIMMED_SODIUM)
  include(trimmed_sodium)
  target_link_libraries(ferrule_sodium INTERFACE ferrule_trimmed_sodium)
else()
  find_package(PkgConfig REQUIRED)
  pkg_check_modules(SODIUM REQUIRED IMPORTED_TARGET libsodium>=1.0.18)
  target_link_libraries(ferrule_sodium INTERFACE PkgConfig::SODIUM)
endif()

add_library(ferrule_nanopb INTERFACE)
if(TARGET protobuf-nanopb-static)
  target_link_libraries(ferrule_nanopb INTERFACE protobuf-nanopb-static)
else()
  set(nanopb ${FERRULE_DEPS_DIR}/nanopb)
  if(NOT EXISTS ${nanopb}/pb_encode.c)
    message(FATAL_ERROR "nanopb's sources are missing from ${nanopb}: run scripts/fetch-sources")
  endif()
  add_library(ferrule_pinned_nanopb STATIC ${nanopb}/pb_common.c ${nanopb}/pb_encode.c
    ${nanopb}/pb_decode.c)
  target_include_directories(ferrule_pinned_nanopb SYSTEM PUBLIC ${nanopb})
  target_compile_definitions(ferrule_pinned_nanopb PUBLIC PB_NO_ERRMSG=1)
  target_compile_options(ferrule_pinned_nanopb PRIVATE -ffunction-sections -fdata-sections)
  target_link_libraries(ferrule_nanopb INTERFACE ferrule_pinned_nanopb)
endif()
