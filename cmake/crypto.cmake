# ferrule_crypto_backend: what fills the contract of src/crypto/crypto.h. FERRULE_CRYPTO is
#   sodium     libsodium, by src/crypto/crypto_sodium.c and crypto_curve.c, which are part of the library
#   a target   of the application, which links ferrule_crypto_contract to find the contract's headers
#   a folder   whose CMakeLists.txt makes such a target, by the name ferrule_crypto
# tests/crypto_mbedtls is an example of the last.
add_library(ferrule_crypto_contract INTERFACE)
target_include_directories(ferrule_crypto_contract INTERFACE ${PROJECT_SOURCE_DIR}/include
  ${PROJECT_SOURCE_DIR}/src)

add_library(ferrule_crypto_backend INTERFACE)
if(FERRULE_CRYPTO STREQUAL "sodium")
  target_link_libraries(ferrule_crypto_backend INTERFACE ferrule_sodium)
  return()
endif()
list(REMOVE_ITEM FERRULE_SOURCES src/crypto/crypto_curve.c src/crypto/crypto_sodium.c)
if(TARGET ${FERRULE_CRYPTO})
  target_link_libraries(ferrule_crypto_backend INTERFACE ${FERRULE_CRYPTO})
  return()
endif()
get_filename_component(folder ${FERRULE_CRYPTO} ABSOLUTE BASE_DIR ${PROJECT_SOURCE_DIR})
if(NOT EXISTS ${folder}/CMakeLists.txt)
  message(FATAL_ERROR "FERRULE_CRYPTO=${FERRULE_CRYPTO}: neither sodium, a target, nor a folder with a CMakeLists.txt")
endif()
add_subdirectory(${folder} ferrule_crypto)
if(NOT TARGET ferrule_crypto)
  message(FATAL_ERROR "FERRULE_CRYPTO=${FERRULE_CRYPTO}: its CMakeLists.txt makes no target ferrule_crypto")
endif()
target_link_libraries(ferrule_crypto_backend INTERFACE ferrule_crypto)
