# A bare Cortex-M3: TI's Stellaris LM3S6965 (evaluation board, or QEMU's lm3s6965evb), with picolibc.
# Yours differs in the core, the memory map, and where the start-up code comes from.
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR arm)
set(CMAKE_C_COMPILER arm-none-eabi-gcc)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
set(CMAKE_C_FLAGS_INIT
  "-mcpu=cortex-m3 -mthumb --specs=picolibc.specs -ffunction-sections -fdata-sections")
set(CMAKE_EXE_LINKER_FLAGS_INIT
  "--crt0=semihost --oslib=semihost -T picolibc.ld -Wl,--gc-sections -Wl,--defsym=__flash=0 -Wl,--defsym=__flash_size=256K -Wl,--defsym=__ram=0x20000000 -Wl,--defsym=__ram_size=64K -Wl,--defsym=__stack_size=8K")
