# ferrule_check_lifetime(TARGET YEARS n PAGE bytes BLOCKS n ENDURANCE erases BOOTS a-day
#   [COPIES 1|2] [POLICY strict|block] [GRANULE bytes] [NO_OVERWRITE | REWRITE]
#   [RECORDS a-day] [BURN_RECORDS n] [BURN_MS n])
#
# Adds a source to the firmware target that does not compile where its configuration lives shorter:
# the compiler's message names the limit. What the words mean: include/ferrule/lifetime.h. The target
# must find Ferrule's headers. Comes with add_subdirectory(ferrule) and find_package(ferrule).
function(ferrule_check_lifetime target)
  set(needed YEARS PAGE BLOCKS COPIES ENDURANCE BOOTS)
  set(optional GRANULE RECORDS BURN_RECORDS BURN_MS)
  cmake_parse_arguments(PARSE_ARGV 1 life "NO_OVERWRITE;REWRITE" "POLICY;${needed};${optional}" "")
  if(life_UNPARSED_ARGUMENTS OR life_KEYWORDS_MISSING_VALUES)
    message(FATAL_ERROR "ferrule_check_lifetime: what is "
      "${life_UNPARSED_ARGUMENTS}${life_KEYWORDS_MISSING_VALUES}?")
  endif()
  if(NOT DEFINED life_COPIES)
    set(life_COPIES 1)
  endif()
  if(NOT DEFINED life_GRANULE)
    set(life_GRANULE 8)
  endif()
  foreach(word ${optional})
    if(NOT DEFINED life_${word})
      set(life_${word} 0)
    endif()
  endforeach()
  foreach(word ${needed} ${optional})
    if(NOT "${life_${word}}" MATCHES "^[0-9]+$")
      message(FATAL_ERROR "ferrule_check_lifetime: ${word} must be a number, not "
        "'${life_${word}}'")
    endif()
  endforeach()
  if(NOT DEFINED life_POLICY)
    set(life_POLICY strict)
  endif()
  if(NOT life_POLICY MATCHES "^(strict|block)$")
    message(FATAL_ERROR "ferrule_check_lifetime: POLICY must be strict or block")
  endif()
  string(TOUPPER ${life_POLICY} policy)
  set(flags "(unsigned)FER_NV_OVERWRITE")
  if(life_REWRITE)
    set(flags "(unsigned)(FER_NV_OVERWRITE | FER_NV_REWRITE)")
  elseif(life_NO_OVERWRITE)
    set(flags 0u)
  endif()
  set(source ${CMAKE_CURRENT_BINARY_DIR}/${target}_lifetime.c)
  file(CONFIGURE OUTPUT ${source} @ONLY CONTENT [[/* Written by ferrule_check_lifetime. */
#include <ferrule/lifetime.h>

FER_LIFETIME_HOLDS(@life_YEARS@u, @life_PAGE@u, @life_BLOCKS@u, @life_COPIES@u,
                   @life_ENDURANCE@u, FER_STORE_@policy@, @life_GRANULE@u, @flags@, @life_BOOTS@u, @life_RECORDS@u,
                   @life_BURN_RECORDS@u, @life_BURN_MS@u);
]])
  target_sources(${target} PRIVATE ${source})
endfunction()
