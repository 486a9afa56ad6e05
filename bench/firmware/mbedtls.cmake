# bench_mbedtls_client, bench_mbedtls_both: Mbed TLS from Debian's pinned source, as little as DTLS 1.2
# with a shared key needs, under the flags of the rest. For figures to compare with; nothing links it.
set(mbedtls ${FERRULE_DEPS_DIR}/mbedtls)
if(NOT EXISTS ${mbedtls}/library/ssl_msg.c)
  return() # only who asks for its targets misses it
endif()
set(mbedtls_sources chacha20 chachapoly cipher cipher_wrap constant_time md platform platform_util
  poly1305 sha256 ssl_ciphersuites ssl_cli ssl_msg ssl_srv ssl_tls)
list(TRANSFORM mbedtls_sources PREPEND ${mbedtls}/library/)
list(TRANSFORM mbedtls_sources APPEND .c)
foreach(ends client both)
  add_library(bench_mbedtls_${ends} STATIC EXCLUDE_FROM_ALL ${mbedtls_sources})
  target_include_directories(bench_mbedtls_${ends} SYSTEM PUBLIC ${mbedtls}/include
    ${CMAKE_CURRENT_LIST_DIR})
  target_compile_definitions(bench_mbedtls_${ends}
    PUBLIC MBEDTLS_CONFIG_FILE="mbedtls_config.h")
  target_compile_options(bench_mbedtls_${ends} PRIVATE -w)
endforeach()
target_compile_definitions(bench_mbedtls_both PUBLIC FERRULE_BENCH_BOTH_ENDS)
