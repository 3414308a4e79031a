# RunnelTests.cmake - how a file becomes a test.
#
# runnel_test_folder(DIR)  registers what lies in DIR, the folder of one kind of test:
#   X.c, X.cpp   a program and a test KIND.X that runs it; status 0 passes, 77 is a skip
#   X.out        beside it: its standard output must be exactly this
#   X.err        beside it: each line must occur in its standard error, in this order
#   X.sh         a test KIND.X; runs with RUNNEL_BUILD, RUNNEL_SOURCE, CC, CXX. A program X.c beside
#                it is built and left to the script: $RUNNEL_BUILD/tests/KIND/X
#   run.sh       owns the folder: its .c files are left to the script, not compiled here
#   CMakeLists.txt   takes over the whole folder
#
# A source may say more about itself in comments of the form "runnel-test: WORD..." :
#   timeout=SECONDS  status=N  labels=A,B  args=A,B  env=NAME=VALUE  std=c17  link=m  sources=x.c,y.c
#   serial        runs alone        build-only   no test of its own      part   not a program at all
#   shared        links librunnel.so
#   not=WHAT      is skipped where WHAT is: address, thread, emulated, musl, lto
#
# Every test has a time limit, and its kind as a label; scripts carry the label `script` too.

set(RUNNEL_TIMEOUT_FACTOR 1 CACHE STRING "Multiplies the time limit of every test")

# What kind of build this is, for not=...
set(RUNNEL_BUILD_IS "${RUNNEL_SANITIZE}")
if(RUNNEL_LTO)
  list(APPEND RUNNEL_BUILD_IS lto)
endif()
if(CMAKE_CROSSCOMPILING)
  list(APPEND RUNNEL_BUILD_IS emulated)
endif()
if(CMAKE_C_COMPILER MATCHES "musl")
  list(APPEND RUNNEL_BUILD_IS musl)
endif()

# Sets a variable opt_WORD for every "runnel-test:" word of a source.
set(RUNNEL_WORDS timeout status labels args env std link sources serial build-only part shared not)
macro(runnel_read_options file)
  foreach(_word ${RUNNEL_WORDS})
    unset(opt_${_word})
  endforeach()
  file(STRINGS "${file}" _lines REGEX "runnel-test:")
  foreach(_line IN LISTS _lines)
    string(REGEX REPLACE ".*runnel-test:[ \t]*" "" _line "${_line}")
    string(REGEX REPLACE "[ \t]*\\*/.*" "" _line "${_line}")
    string(REGEX MATCHALL "[^ \t]+" _words "${_line}")
    foreach(_word IN LISTS _words)
      if(_word MATCHES "^([a-z-]+)=(.*)$")
        set(_key "${CMAKE_MATCH_1}")
        set(_value "${CMAKE_MATCH_2}")
        if(NOT _key STREQUAL "env")
          string(REPLACE "," ";" _value "${_value}")
        endif()
      else()
        set(_key "${_word}")
        set(_value ON)
      endif()
      if(NOT _key IN_LIST RUNNEL_WORDS)
        message(FATAL_ERROR "${file}: unknown word '${_word}' after runnel-test:")
      endif()
      list(APPEND opt_${_key} ${_value})
    endforeach()
  endforeach()
endmacro()

# A reason to skip, or nothing, from opt_not.
macro(runnel_why_not variable)
  set(${variable} "")
  foreach(what IN LISTS opt_not)
    if(what IN_LIST RUNNEL_BUILD_IS)
      set(${variable} "not meant for this kind of build: ${what}")
    endif()
  endforeach()
endmacro()

# How every program of ours is linked and warned about.
function(runnel_program target folder)
  set_target_properties(${target} PROPERTIES C_STANDARD 11 C_EXTENSIONS ON
    RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/${folder}")
  target_link_libraries(${target} PRIVATE runnel_warnings runnel::strict)
endfunction()

# The properties that every test gets; uses opt_*.
function(runnel_test_properties test kind default_timeout)
  if(NOT opt_timeout)
    set(opt_timeout ${default_timeout})
  endif()
  math(EXPR limit "${opt_timeout} * ${RUNNEL_TIMEOUT_FACTOR}")
  set(labels ${kind} ${opt_labels} ${ARGN})
  set(environment ${opt_env})
  if(CMAKE_CROSSCOMPILING_EMULATOR)
    string(REPLACE ";" " " emulator "${CMAKE_CROSSCOMPILING_EMULATOR}")
    list(APPEND environment "RUNNEL_TEST_EMULATOR=${emulator}")
  endif()
  if(RUNNEL_SANITIZE STREQUAL "address")
    list(APPEND environment "UBSAN_OPTIONS=print_stacktrace=1")
  elseif(RUNNEL_SANITIZE STREQUAL "thread")
    # By default every process of such a build sleeps a second before it exits, and tests start many.
    list(APPEND environment "TSAN_OPTIONS=atexit_sleep_ms=50")
  endif()
  set_tests_properties(${test} PROPERTIES
    TIMEOUT ${limit} SKIP_RETURN_CODE 77 LABELS "${labels}" ENVIRONMENT "${environment}")
  if(opt_serial OR kind STREQUAL "stress")
    set_tests_properties(${test} PROPERTIES RUN_SERIAL TRUE)
  endif()
endfunction()

# One program, put into tests/KIND (or FOLDER) of the build tree. A test is added unless NO_TEST is
# given.
function(runnel_test_program kind source)
  cmake_parse_arguments(arg "NO_TEST" "FOLDER" "" ${ARGN})
  if(NOT arg_FOLDER)
    set(arg_FOLDER tests/${kind})
  endif()
  get_filename_component(name "${source}" NAME_WE)
  get_filename_component(dir "${source}" DIRECTORY)
  get_filename_component(extension "${source}" LAST_EXT)
  set(test ${kind}.${name})
  runnel_read_options("${source}")
  if(opt_part)
    return()
  endif()

  set(why "")
  if(NOT extension STREQUAL ".c" AND NOT CMAKE_CXX_COMPILER)
    set(why "no C++ compiler (Debian package: g++)")
  else()
    runnel_why_not(why)
  endif()
  if(opt_shared AND NOT RUNNEL_SHARED AND NOT why)
    set(why "librunnel.so is not part of this build (RUNNEL_SHARED is off)")
  endif()
  if(why)
    if(NOT arg_NO_TEST)
      add_test(NAME ${test} COMMAND "${PROJECT_SOURCE_DIR}/tests/run-skip" "${why}")
      runnel_test_properties(${test} ${kind} 10)
    endif()
    return()
  endif()

  list(TRANSFORM opt_sources PREPEND "${dir}/")
  add_executable(${test} "${source}" ${opt_sources})
  runnel_program(${test} ${arg_FOLDER})
  set_target_properties(${test} PROPERTIES OUTPUT_NAME ${name})
  if(kind STREQUAL "unit" AND RUNNEL_SANITIZE STREQUAL "thread")
    # Unit tests compile inline parts of the library, which is not instrumented in this build.
    set_source_files_properties("${source}" PROPERTIES
      COMPILE_OPTIONS -fno-sanitize=thread COMPILE_DEFINITIONS RN__TSAN=1)
  endif()
  if(opt_std)
    set_target_properties(${test} PROPERTIES C_STANDARD "" CXX_STANDARD "")
    target_compile_options(${test} PRIVATE -std=${opt_std})
  endif()
  if(opt_shared)
    target_link_libraries(${test} PRIVATE runnel::shared)
  else()
    target_link_libraries(${test} PRIVATE runnel::static)
  endif()
  target_link_libraries(${test} PRIVATE ${opt_link})
  target_include_directories(${test} PRIVATE "${PROJECT_SOURCE_DIR}/src"
                                             "${PROJECT_SOURCE_DIR}/tests")
  if(arg_NO_TEST OR opt_build-only)
    return()
  endif()

  set(checks)
  foreach(stream out err)
    if(EXISTS "${dir}/${name}.${stream}")
      list(APPEND checks --${stream} "${dir}/${name}.${stream}")
    endif()
  endforeach()
  if(opt_status)
    list(APPEND checks --status ${opt_status})
  endif()
  if(checks)
    add_test(NAME ${test} COMMAND "${PROJECT_SOURCE_DIR}/tests/run-test" ${checks} --
             ${CMAKE_CROSSCOMPILING_EMULATOR} $<TARGET_FILE:${test}> ${opt_args})
  else()
    add_test(NAME ${test} COMMAND ${test} ${opt_args})
  endif()
  runnel_test_properties(${test} ${kind} 300)
endfunction()

# One script, with more arguments if given.
function(runnel_test_script kind script)
  get_filename_component(name "${script}" NAME_WE)
  set(test ${kind}.${name})
  runnel_read_options("${script}")
  runnel_why_not(why)
  if(CMAKE_CROSSCOMPILING AND NOT why)
    set(why "scripts use this machine's compiler and are run in the plain build")
  endif()
  if(why)
    add_test(NAME ${test} COMMAND "${PROJECT_SOURCE_DIR}/tests/run-skip" "${why}")
  else()
    add_test(NAME ${test} COMMAND "${PROJECT_SOURCE_DIR}/tests/run-script" "${script}" ${opt_args}
             ${ARGN})
  endif()
  list(APPEND opt_env "RUNNEL_BUILD=${PROJECT_BINARY_DIR}" "RUNNEL_SOURCE=${PROJECT_SOURCE_DIR}"
       "CC=${CMAKE_C_COMPILER}" "CXX=${CMAKE_CXX_COMPILER}" "CMAKE=${CMAKE_COMMAND}")
  runnel_test_properties(${test} ${kind} 300 script)
endfunction()

function(runnel_test_folder dir)
  get_filename_component(kind "${dir}" NAME)
  if(EXISTS "${dir}/CMakeLists.txt")
    add_subdirectory("${dir}")
    return()
  endif()
  file(GLOB scripts CONFIGURE_DEPENDS "${dir}/*.sh")
  foreach(script IN LISTS scripts)
    runnel_test_script(${kind} "${script}")
  endforeach()
  if(EXISTS "${dir}/run.sh")
    return()
  endif()
  file(GLOB programs CONFIGURE_DEPENDS "${dir}/*.c" "${dir}/*.cpp")
  foreach(program IN LISTS programs)
    get_filename_component(name "${program}" NAME_WE)
    if(EXISTS "${dir}/${name}.sh")
      runnel_test_program(${kind} "${program}" NO_TEST)
    else()
      runnel_test_program(${kind} "${program}")
    endif()
  endforeach()
endfunction()
