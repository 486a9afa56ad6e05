# Read by the toolchain files: FERRULE_BOARD names a folder of boards/, whose board.conf says what the
# board is. An executable needs no linker script of its own: picolibc's script takes the memory map,
# its crt0 and semihosting give printf, an exit code, host files and a fault dump.
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES FERRULE_BOARD)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)

if(DEFINED FERRULE_CPU)
  message(FATAL_ERROR "FERRULE_CPU is no longer read: choose a board of boards/ by FERRULE_BOARD")
endif()
set(FERRULE_BOARD mps2-an385 CACHE STRING "A folder of boards/")
set(FERRULE_BOARD_DIR ${CMAKE_CURRENT_LIST_DIR}/../boards/${FERRULE_BOARD})
if(NOT EXISTS ${FERRULE_BOARD_DIR}/board.conf)
  message(FATAL_ERROR "FERRULE_BOARD=${FERRULE_BOARD}: there is no boards/${FERRULE_BOARD}/board.conf")
endif()

# Each line: a key, spaces, its words; # begins a comment. FERRULE_BOARD_<KEY> gets the words.
file(STRINGS ${FERRULE_BOARD_DIR}/board.conf lines REGEX "^[a-z]")
foreach(line ${lines})
  string(REGEX MATCH "^[a-z]+" key ${line})
  string(REGEX REPLACE "^[a-z]+ +" "" words ${line})
  string(TOUPPER ${key} key)
  string(REPLACE " " ";" FERRULE_BOARD_${key} ${words})
endforeach()
if(NOT CMAKE_C_COMPILER STREQUAL "${FERRULE_BOARD_TOOLCHAIN}-gcc")
  message(FATAL_ERROR "${FERRULE_BOARD} is built with cmake/toolchain-${FERRULE_BOARD_TOOLCHAIN}.cmake")
endif()

# The stack lies below all data, where the script would put it at the top: one that overflows leaves
# the RAM, which faults, instead of growing into the heap unseen.
list(GET FERRULE_BOARD_FLASH 0 flash)
list(GET FERRULE_BOARD_FLASH 1 flash_size)
list(GET FERRULE_BOARD_RAM 0 ram)
list(GET FERRULE_BOARD_RAM 1 ram_size)
math(EXPR data "${ram} + ${FERRULE_BOARD_STACK}" OUTPUT_FORMAT HEXADECIMAL)
math(EXPR data_size "${ram_size} - ${FERRULE_BOARD_STACK}" OUTPUT_FORMAT HEXADECIMAL)
math(EXPR end "${ram} + ${ram_size}" OUTPUT_FORMAT HEXADECIMAL)
string(JOIN " " flags ${FERRULE_BOARD_FLAGS})
set(CMAKE_C_FLAGS_INIT "${flags} --specs=picolibc.specs -ffunction-sections -fdata-sections")
set(symbols "")
foreach(symbol __flash=${flash} __flash_size=${flash_size} __ram=${data} __ram_size=${data_size}
    __stack=${data} __stack_size=0 __heap_end=${end})
  string(APPEND symbols " -Wl,--defsym=${symbol}")
endforeach()
set(CMAKE_EXE_LINKER_FLAGS_INIT
  "--crt0=semihost --oslib=semihost -T picolibc.ld -Wl,--gc-sections${symbols}")
set(CMAKE_CROSSCOMPILING_EMULATOR ${FERRULE_BOARD_QEMU} -display none -monitor none
  -serial null -semihosting-config enable=on,target=native -kernel)
