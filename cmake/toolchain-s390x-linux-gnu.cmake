# Big-endian Linux of 64 bits: the tests' proof that nothing assumes a byte order.
set(CMAKE_SYSTEM_PROCESSOR s390x)
set(triple s390x-linux-gnu)
include(${CMAKE_CURRENT_LIST_DIR}/emulated_linux.cmake)
