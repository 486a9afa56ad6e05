# ferrule_trimmed_sodium: the few files of libsodium that a device needs, from the pinned archive:
# ChaCha20-Poly1305, SHA-256, HMAC-SHA256, compare and wipe; X25519, which is linked only where a
# handshake is. No random source, no sodium_init: FERRULE_CRYPTO_BARE tells the backend so. What
# those files mention and nothing calls (randombytes_buf, sodium_malloc) goes with --gc-sections.
set(sodium ${FERRULE_DEPS_DIR}/libsodium/src/libsodium)
if(NOT EXISTS ${sodium}/sodium/utils.c)
  message(FATAL_ERROR "libsodium's sources are missing from ${sodium}: run scripts/fetch-sources")
endif()

list(TRANSFORM FERRULE_TRIMMED_SODIUM_UPSTREAM PREPEND ${sodium}/ OUTPUT_VARIABLE sodium_sources)

# The one generated header, beside the one header it includes by a plain name; the numbers are those of the pinned release.
set(sodium_include ${CMAKE_CURRENT_BINARY_DIR}/trimmed_sodium)
set(VERSION 1.0.18)
set(SODIUM_LIBRARY_VERSION_MAJOR 10)
set(SODIUM_LIBRARY_VERSION_MINOR 3)
set(SODIUM_LIBRARY_MINIMAL_DEF "#define SODIUM_LIBRARY_MINIMAL 1")
configure_file(${sodium}/include/sodium/version.h.in ${sodium_include}/sodium/version.h @ONLY)
unset(VERSION)
configure_file(${sodium}/include/sodium/export.h ${sodium_include}/sodium/export.h COPYONLY)

add_library(ferrule_trimmed_sodium STATIC ${sodium_sources} ${FERRULE_TRIMMED_SODIUM_SOURCES})
# The hot file. Scheduling before registers are allotted makes more spills than it hides stalls:
# docs/COMPARED.md tells what each option buys.
set_source_files_properties(cmake/trimmed_sodium/chacha20.c PROPERTIES COMPILE_OPTIONS
  "-O2;$<$<C_COMPILER_ID:GNU>:-fno-schedule-insns>")
# Else the compiler would put a call of memset, which goes by bytes, in place of the loops.
set_source_files_properties(cmake/trimmed_sodium/wipe.c PROPERTIES COMPILE_OPTIONS
  $<$<C_COMPILER_ID:GNU>:-fno-tree-loop-distribute-patterns>)
set_source_files_properties(cmake/trimmed_sodium/lmul.c PROPERTIES COMPILE_OPTIONS -fno-lto)
target_include_directories(ferrule_trimmed_sodium SYSTEM
  PUBLIC ${sodium}/include ${sodium_include}
  PRIVATE ${sodium} ${sodium}/include/sodium ${sodium_include}/sodium)
set_target_properties(ferrule_trimmed_sodium PROPERTIES C_EXTENSIONS ON)
include(TestBigEndian)
test_big_endian(big_endian)
if(big_endian)
  set(order NATIVE_BIG_ENDIAN=1)
else()
  set(order NATIVE_LITTLE_ENDIAN=1)
endif()
target_compile_definitions(ferrule_trimmed_sodium
  PUBLIC SODIUM_STATIC=1
  INTERFACE FERRULE_CRYPTO_BARE=1
  PRIVATE ${order} ${FERRULE_TRIMMED_SODIUM_DEFINITIONS})
target_compile_options(ferrule_trimmed_sodium PRIVATE -ffunction-sections -fdata-sections -w)
target_link_options(ferrule_trimmed_sodium INTERFACE -Wl,--gc-sections)
# Cores without a long multiply: asked for by name, because link-time optimisation finds out that it
# needs one only after this archive was searched, and would take libgcc's.
include(CheckCSourceCompiles)
check_c_source_compiles("#if !defined(__ARM_ARCH_6M__) && !defined(__ARM_ARCH_8M_BASE__)
#error
#endif
typedef int core;" FERRULE_NO_LONG_MULTIPLY)
if(FERRULE_NO_LONG_MULTIPLY)
  target_link_options(ferrule_trimmed_sodium INTERFACE -Wl,-u,__aeabi_lmul)
endif()
