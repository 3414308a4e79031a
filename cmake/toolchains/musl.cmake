# The musl C library through its gcc wrapper, everything linked statically.
set(CMAKE_C_COMPILER musl-gcc)
set(CMAKE_EXE_LINKER_FLAGS_INIT -static)
# The wrapper has no C++ counterpart; without this CMake would pair it with the system's.
set(CMAKE_CXX_COMPILER "")
