# Big-endian Linux of 32 bits: the tests' proof that byte order and word size are not assumed together.
set(CMAKE_SYSTEM_PROCESSOR ppc)
set(triple powerpc-linux-gnu)
include(${CMAKE_CURRENT_LIST_DIR}/emulated_linux.cmake)
