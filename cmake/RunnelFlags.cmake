# RunnelFlags.cmake - how our own sources are compiled. Nothing here reaches those who use runnel,
# but for the sanitizer's own flags, which a whole program must share.
include(CheckCCompilerFlag)

if(NOT RUNNEL_SANITIZE MATCHES "^(address|thread)?$")
  message(FATAL_ERROR "RUNNEL_SANITIZE is 'address', 'thread' or empty, not '${RUNNEL_SANITIZE}'")
endif()

# Warnings for everything that is ours.
add_library(runnel_warnings INTERFACE)
target_compile_options(runnel_warnings INTERFACE
  $<$<COMPILE_LANGUAGE:C>:-Wall -Wextra -Wpedantic -Wshadow -Wconversion>
  $<$<COMPILE_LANGUAGE:CXX>:-Wall -Wextra>
  $<$<AND:$<BOOL:${RUNNEL_WERROR}>,$<COMPILE_LANGUAGE:C,CXX>>:-Werror>)

# What the library's sources need.
#  - hidden visibility: RN_API names the doors;
#  - initial-exec: one load for the worker word, and no __tls_get_addr whose result a compiler may
#    keep while the goroutine moves to another thread;
#  - no lazy binding: the dynamic linker would save the vector registers, 3 KiB, on a small stack;
#  - unwind tables, everywhere: dumps show the stacks of goroutines that do not run;
#  - no semantic interposition: calls inside librunnel.so stay inside.
add_library(runnel_flags INTERFACE)
target_compile_options(runnel_flags INTERFACE
  $<$<COMPILE_LANGUAGE:C>:-fvisibility=hidden>
  $<$<COMPILE_LANGUAGE:C>:-ftls-model=initial-exec>)
foreach(flag IN ITEMS -fno-plt -fasynchronous-unwind-tables)
  string(MAKE_C_IDENTIFIER "RUNNEL_HAS${flag}" has)
  check_c_compiler_flag(${flag} ${has})
  if(${has})
    target_compile_options(runnel_flags INTERFACE $<$<COMPILE_LANGUAGE:C>:${flag}>)
  endif()
endforeach()
check_c_compiler_flag(-fno-semantic-interposition RUNNEL_HAS_NO_INTERPOSITION)
if(RUNNEL_HAS_NO_INTERPOSITION)
  target_compile_options(runnel_flags INTERFACE
    $<$<COMPILE_LANGUAGE:C>:-fno-semantic-interposition>)
endif()
target_include_directories(runnel_flags INTERFACE "${PROJECT_SOURCE_DIR}/include")
target_link_libraries(runnel_flags INTERFACE runnel_warnings)

# Two flavours for sanitizers.
#  - address: the library is instrumented too, so a use of a freed channel is found inside it.
#  - thread: the library is not instrumented and announces goroutine switches and the edges of Go's
#    memory model itself; otherwise its own locks would order everything and hide the user's races.
set(RUNNEL_ASAN_FLAGS -fsanitize=address -fno-omit-frame-pointer)
set(RUNNEL_UBSAN_FLAGS -fsanitize=undefined -fno-sanitize-recover=undefined)
set(RUNNEL_TSAN_FLAGS -fsanitize=thread)
