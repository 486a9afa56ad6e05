# The warnings that every target of this project compiles clean under, gcc and clang, 32 and 64 bits.
function(ferrule_warnings target)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion
    -Wshadow -Wcast-align -Wcast-qual -Wundef -Wstrict-prototypes -Wmissing-prototypes -Wvla)
  if(CMAKE_C_COMPILER_ID MATCHES "Clang")
    target_compile_options(${target} PRIVATE -Wthread-safety)
  endif()
  if(FERRULE_WERROR)
    target_compile_options(${target} PRIVATE -Werror)
  endif()
endfunction()
