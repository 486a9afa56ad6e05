# Bare Cortex-M with picolibc. FERRULE_CPU chooses the core; each core comes with the QEMU machine
# that runs its tests, so that an executable needs no start-up code or linker script of its own:
# picolibc's crt0 and semihosting give printf, an exit code, host files and a fault dump.
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR arm)
set(CMAKE_C_COMPILER arm-none-eabi-gcc)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES FERRULE_CPU)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)

set(FERRULE_CPU cortex-m3 CACHE STRING "Core: cortex-m0, -m3, -m4, -m7 or -m33")
if(FERRULE_CPU STREQUAL cortex-m0)
  set(machine microbit)
  set(memory 0x00000000 0x40000 0x20000000 0x4000 0x1000)
elseif(FERRULE_CPU STREQUAL cortex-m3)
  set(machine mps2-an385)
  set(memory 0x00000000 0x400000 0x20000000 0x400000 0x10000)
elseif(FERRULE_CPU STREQUAL cortex-m4)
  set(machine mps2-an386)
  set(memory 0x00000000 0x400000 0x20000000 0x400000 0x10000)
elseif(FERRULE_CPU STREQUAL cortex-m7)
  set(machine mps2-an500)
  set(memory 0x00000000 0x400000 0x20000000 0x400000 0x10000)
elseif(FERRULE_CPU STREQUAL cortex-m33)
  set(machine mps2-an505)
  set(memory 0x10000000 0x400000 0x38000000 0x200000 0x10000)
else()
  message(FATAL_ERROR "FERRULE_CPU=${FERRULE_CPU}: cortex-m0, -m3, -m4, -m7 and -m33 are known")
endif()
set(FERRULE_MACHINE ${machine})

list(GET memory 0 flash)
list(GET memory 1 flash_size)
list(GET memory 2 ram)
list(GET memory 3 ram_size)
list(GET memory 4 stack_size)
set(CMAKE_C_FLAGS_INIT
  "-mcpu=${FERRULE_CPU} -mthumb -mfloat-abi=soft --specs=picolibc.specs -ffunction-sections -fdata-sections")
set(CMAKE_EXE_LINKER_FLAGS_INIT
  "--crt0=semihost --oslib=semihost -T picolibc.ld -Wl,--gc-sections -Wl,--defsym=__flash=${flash} -Wl,--defsym=__flash_size=${flash_size} -Wl,--defsym=__ram=${ram} -Wl,--defsym=__ram_size=${ram_size} -Wl,--defsym=__stack_size=${stack_size}")
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-system-arm -M ${machine} -display none -monitor none
  -serial null -semihosting-config enable=on,target=native -kernel)
