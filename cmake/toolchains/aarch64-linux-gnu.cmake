# aarch64 Linux with Debian's cross compiler; programs run under qemu-user.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
find_program(RUNNEL_CROSS_CXX aarch64-linux-gnu-g++)
if(RUNNEL_CROSS_CXX)
  set(CMAKE_CXX_COMPILER "${RUNNEL_CROSS_CXX}")
else()
  set(CMAKE_CXX_COMPILER "") # or CMake would take this machine's
endif()
set(CMAKE_FIND_ROOT_PATH /usr/aarch64-linux-gnu)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
find_program(RUNNEL_QEMU qemu-aarch64 REQUIRED) # by its path: tests start themselves anew with it
set(CMAKE_CROSSCOMPILING_EMULATOR "${RUNNEL_QEMU}" -L /usr/aarch64-linux-gnu)
