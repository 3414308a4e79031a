# The musl C library through its gcc wrapper; to be linked statically. The wrapper sees no kernel
# headers; a folder with these alone, none of glibc's, is made for it.
set(CMAKE_C_COMPILER musl-gcc)
# The wrapper has no C++ counterpart; without this CMake would pair it with the system's.
set(CMAKE_CXX_COMPILER "")

set(headers "${CMAKE_BINARY_DIR}/kernel-headers")
file(MAKE_DIRECTORY "${headers}")
execute_process(COMMAND gcc -print-multiarch OUTPUT_VARIABLE multiarch
                OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
foreach(name linux asm asm-generic)
  foreach(place "/usr/include/${multiarch}" /usr/include)
    if(EXISTS "${place}/${name}" AND NOT EXISTS "${headers}/${name}")
      file(CREATE_LINK "${place}/${name}" "${headers}/${name}" SYMBOLIC)
    endif()
  endforeach()
endforeach()
set(CMAKE_C_FLAGS_INIT "-idirafter ${headers}")
set(CMAKE_ASM_FLAGS_INIT "-idirafter ${headers}")
