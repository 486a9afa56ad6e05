# Bare Cortex-M with picolibc; FERRULE_BOARD chooses the board.
set(CMAKE_SYSTEM_PROCESSOR arm)
set(CMAKE_C_COMPILER arm-none-eabi-gcc)
include(${CMAKE_CURRENT_LIST_DIR}/board.cmake)
