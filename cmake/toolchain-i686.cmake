# 32-bit Linux on a 64-bit PC, which runs its programs as they are: the tests' proof, with the
# sanitizers, that nothing assumes a word size. (gcc-multilib is not used: Debian's conflicts with
# its cross compilers; lib32gcc-12-dev and libc6-dev-i386 suffice.)
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR i686)
set(CMAKE_C_COMPILER gcc)
# SSE2, because the x87 compares doubles with more bits than they have. The kernel's headers are the
# same for both widths, but live under the 64-bit name.
set(CMAKE_C_FLAGS_INIT "-m32 -msse2 -mfpmath=sse -idirafter /usr/include/x86_64-linux-gnu")
