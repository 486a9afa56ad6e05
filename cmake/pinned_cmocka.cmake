# ferrule_cmocka: cmocka compiled from the pinned archive, for targets that have no package of it.
# It runs on a bare Cortex-M3 over picolibc as it does on Linux.
set(cmocka ${FERRULE_DEPS_DIR}/cmocka)
if(NOT EXISTS ${cmocka}/src/cmocka.c)
  message(FATAL_ERROR "cmocka's sources are missing from ${cmocka}: run scripts/fetch-sources")
endif()
add_library(ferrule_cmocka STATIC ${cmocka}/src/cmocka.c)
target_include_directories(ferrule_cmocka SYSTEM PUBLIC ${cmocka}/include)
target_compile_definitions(ferrule_cmocka PRIVATE HAVE_INTTYPES_H=1 HAVE_MALLOC_H=1
  HAVE_SIGNAL_H=1 HAVE_STRINGS_H=1)
set_target_properties(ferrule_cmocka PROPERTIES C_EXTENSIONS ON)
target_compile_options(ferrule_cmocka PRIVATE -w)
