# RunnelLibrary.cmake - librunnel.a, librunnel.so and the two variants for sanitizers.
#
# Targets: runnel::static, runnel::shared (with RUNNEL_SHARED), runnel::runnel (static, or shared with
# BUILD_SHARED_LIBS), runnel::asan and runnel::tsan (with RUNNEL_VARIANTS), runnel::strict.
set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)

# On some CPUs (RISC-V before gcc 14) atomics of one byte are calls into libatomic.
include(CheckCSourceCompiles)
check_c_source_compiles("
  #include <stdatomic.h>
  static _Atomic(unsigned char) a;
  int main(void) { return atomic_exchange(&a, 1); }" RUNNEL_HAS_BYTE_ATOMICS)
set(RUNNEL_PRIVATE_LIBS -pthread)
set(RUNNEL_SYSTEM_LIBS Threads::Threads)
if(NOT RUNNEL_HAS_BYTE_ATOMICS)
  list(APPEND RUNNEL_PRIVATE_LIBS -latomic)
  list(APPEND RUNNEL_SYSTEM_LIBS atomic)
endif()

# ------------------------------------------------------------------------------------------ sources
# One folder per part, lowest first; each may use only those before it (docs: the house). What needs
# assembly is written once per CPU: X_x86_64.S, X_aarch64.S, X_riscv64.S.
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$")
  set(RUNNEL_CPU x86_64)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64)$")
  set(RUNNEL_CPU aarch64)
elseif(CMAKE_SYSTEM_PROCESSOR STREQUAL "riscv64")
  set(RUNNEL_CPU riscv64)
else()
  message(FATAL_ERROR "runnel has no context switch for '${CMAKE_SYSTEM_PROCESSOR}' "
                      "(it has x86_64, aarch64 and riscv64)")
endif()

set(RUNNEL_PARTS platform stack sched panic chan time sync context group signal io net test diag explore)
set(RUNNEL_SOURCES)
foreach(part IN LISTS RUNNEL_PARTS)
  file(GLOB part_sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/src/${part}/*.c"
       "${PROJECT_SOURCE_DIR}/src/${part}/*_${RUNNEL_CPU}.S")
  list(APPEND RUNNEL_SOURCES ${part_sources})
endforeach()

# The accessors of thread-local words must stay opaque: inlined at link time, the address behind them
# could be kept over a switch. The first is also named by assembly, which the linker's optimiser
# does not read.
foreach(accessor tls errno)
  if(EXISTS "${PROJECT_SOURCE_DIR}/src/platform/${accessor}.c")
    set_source_files_properties("${PROJECT_SOURCE_DIR}/src/platform/${accessor}.c" PROPERTIES
      COMPILE_OPTIONS -fno-lto)
  endif()
endforeach()

# ---------------------------------------------------------------------------------------- libraries
# Both kinds use the same objects: position-independent code with hidden symbols costs nothing
# measurable, and a static runnel may then be linked into somebody's plug-in.
function(runnel_common target)
  set_target_properties(${target} PROPERTIES
    C_STANDARD 11 C_EXTENSIONS ON C_STANDARD_REQUIRED ON POSITION_INDEPENDENT_CODE ON
    ARCHIVE_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/lib"
    LIBRARY_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/lib")
endfunction()

function(runnel_usage target)
  target_include_directories(${target} INTERFACE
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_link_libraries(${target} INTERFACE ${RUNNEL_SYSTEM_LIBS})
  # Looking a function up at its first call takes more stack than a small goroutine has.
  target_link_options(${target} INTERFACE LINKER:-z,now)
endfunction()

add_library(runnel_objects OBJECT ${RUNNEL_SOURCES})
target_link_libraries(runnel_objects PRIVATE runnel_flags Threads::Threads)
runnel_common(runnel_objects)
if(RUNNEL_COPY_CHECK)
  target_compile_definitions(runnel_objects PRIVATE RUNNEL_COPY_CHECK=1)
endif()

if(RUNNEL_LTO)
  include(CheckIPOSupported)
  check_ipo_supported(LANGUAGES C)
  set_target_properties(runnel_objects PROPERTIES INTERPROCEDURAL_OPTIMIZATION ON)
  if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
    target_compile_options(runnel_objects PRIVATE $<$<COMPILE_LANGUAGE:C>:-ffat-lto-objects>)
  endif()
endif()

set(sanitize_program) # what every object and the link of the whole program get
if(RUNNEL_SANITIZE STREQUAL "address")
  set(sanitize_program ${RUNNEL_ASAN_FLAGS} ${RUNNEL_UBSAN_FLAGS})
  target_compile_options(runnel_objects PRIVATE ${sanitize_program})
elseif(RUNNEL_SANITIZE STREQUAL "thread")
  set(sanitize_program ${RUNNEL_TSAN_FLAGS})
  target_compile_definitions(runnel_objects PRIVATE RN__TSAN=1)
endif()

add_library(runnel_static STATIC $<TARGET_OBJECTS:runnel_objects>)
set(RUNNEL_LIBRARIES runnel_static)
if(RUNNEL_SHARED)
  add_library(runnel_shared SHARED $<TARGET_OBJECTS:runnel_objects>)
  set_target_properties(runnel_shared PROPERTIES
    VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}
    LINK_DEPENDS "${PROJECT_SOURCE_DIR}/cmake/runnel.map")
  target_link_options(runnel_shared PRIVATE
    "LINKER:--version-script=${PROJECT_SOURCE_DIR}/cmake/runnel.map" LINKER:-Bsymbolic-functions)
  if(NOT RUNNEL_SANITIZE) # the sanitizers' runtime comes with the program
    target_link_options(runnel_shared PRIVATE LINKER:-z,defs)
  endif()
  target_link_libraries(runnel_shared PRIVATE ${RUNNEL_SYSTEM_LIBS})
  list(APPEND RUNNEL_LIBRARIES runnel_shared)
endif()
foreach(lib IN LISTS RUNNEL_LIBRARIES)
  string(REPLACE runnel_ "" kind ${lib})
  set_target_properties(${lib} PROPERTIES OUTPUT_NAME runnel EXPORT_NAME ${kind} LINKER_LANGUAGE C)
  runnel_common(${lib})
  runnel_usage(${lib})
  target_compile_options(${lib} INTERFACE ${sanitize_program})
  target_link_options(${lib} INTERFACE ${sanitize_program})
  add_library(runnel::${kind} ALIAS ${lib})
endforeach()
if(BUILD_SHARED_LIBS AND RUNNEL_SHARED)
  add_library(runnel::runnel ALIAS runnel_shared)
else()
  add_library(runnel::runnel ALIAS runnel_static)
endif()

# ----------------------------------------------------------------------------------------- variants
# What `runnel run --asan` and `--race` link with; archives only, the compiler brings the runtime.
if(RUNNEL_VARIANTS AND NOT RUNNEL_SANITIZE)
  foreach(variant asan tsan)
    add_library(runnel_${variant} STATIC ${RUNNEL_SOURCES})
    set_target_properties(runnel_${variant} PROPERTIES
      OUTPUT_NAME runnel-${variant} EXPORT_NAME ${variant})
    target_link_libraries(runnel_${variant} PRIVATE
      $<BUILD_INTERFACE:runnel_flags> Threads::Threads)
    runnel_common(runnel_${variant})
    runnel_usage(runnel_${variant})
    add_library(runnel::${variant} ALIAS runnel_${variant})
    list(APPEND RUNNEL_LIBRARIES runnel_${variant})
  endforeach()
  target_compile_options(runnel_asan PRIVATE ${RUNNEL_ASAN_FLAGS} INTERFACE ${RUNNEL_ASAN_FLAGS})
  target_link_options(runnel_asan INTERFACE ${RUNNEL_ASAN_FLAGS})
  target_compile_definitions(runnel_tsan PRIVATE RN__TSAN=1)
  target_compile_options(runnel_tsan INTERFACE ${RUNNEL_TSAN_FLAGS})
  target_link_options(runnel_tsan INTERFACE ${RUNNEL_TSAN_FLAGS})
endif()

# ------------------------------------------------------------------------------------------- strict
# Diagnostics that make every misuse of a channel's type an error; for those who want them.
add_library(runnel_strict INTERFACE)
set_target_properties(runnel_strict PROPERTIES EXPORT_NAME strict)
target_compile_options(runnel_strict INTERFACE
  "$<$<COMPILE_LANG_AND_ID:C,Clang,AppleClang>:-Werror=incompatible-pointer-types;-Werror=incompatible-pointer-types-discards-qualifiers;-Werror=int-conversion;-Werror=implicit-function-declaration>"
  "$<$<COMPILE_LANG_AND_ID:C,GNU>:-Werror=incompatible-pointer-types;-Werror=discarded-qualifiers;-Werror=int-conversion;-Werror=implicit-function-declaration>")
add_library(runnel::strict ALIAS runnel_strict)
list(APPEND RUNNEL_LIBRARIES runnel_strict)

# The build tree is laid out like an installation (bin, lib, include), so that the command finds its
# parts the same way in both.
if(RUNNEL_TOP)
  file(CREATE_LINK "${PROJECT_SOURCE_DIR}/include" "${PROJECT_BINARY_DIR}/include" SYMBOLIC)
endif()
