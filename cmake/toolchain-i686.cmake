# 32-bit Linux on a 64-bit PC: the tests' proof, with the sanitizers, that nothing assumes a word size.
# (gcc-multilib is not used: Debian's conflicts with its cross compilers; lib32gcc-12-dev and
# libc6-dev-i386 suffice.)
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR i686)
set(CMAKE_C_COMPILER gcc)
# SSE2, because the x87 compares doubles with more bits than they have. The kernel's headers are the
# same for both widths, but live under the 64-bit name.
set(CMAKE_C_FLAGS_INIT "-m32 -msse2 -mfpmath=sse -idirafter /usr/include/x86_64-linux-gnu")
# Kernels without 32-bit calls exist; any 32-bit program tells. Leaks are then left to 64 bits: to look
# for them the sanitizer must stop the process, which qemu-user does not do.
execute_process(COMMAND /lib/ld-linux.so.2 --version RESULT_VARIABLE answer OUTPUT_QUIET ERROR_QUIET)
if(NOT answer EQUAL 0)
  set(CMAKE_CROSSCOMPILING_EMULATOR env ASAN_OPTIONS=detect_leaks=0 qemu-i386)
endif()
