# Bare RISC-V with picolibc; the compiler is named after 64 bits and makes 32 as well. FERRULE_BOARD
# chooses the board.
set(CMAKE_SYSTEM_PROCESSOR riscv)
set(CMAKE_C_COMPILER riscv64-unknown-elf-gcc)
set(FERRULE_BOARD riscv32-virt CACHE STRING "A folder of boards/")
include(${CMAKE_CURRENT_LIST_DIR}/board.cmake)
