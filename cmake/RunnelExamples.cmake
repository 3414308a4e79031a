# RunnelExamples.cmake - the examples as programs in examples/ of the build tree, and as tests.
#   examples/X.c       a program; with X.out or X.err beside it a test compares its streams
#   examples/X/*.c     a program of several files; X/X.sh, where present, is given it and checks it
#   examples/check.sh  checks those that need more than that; finds them in $RUNNEL_BUILD/examples
#   examples/demo      the showcase, target `demo`
set(here "${PROJECT_SOURCE_DIR}/examples")

file(GLOB demo_sources CONFIGURE_DEPENDS "${here}/demo/*.c" "${here}/wordfreq/*.c")
list(FILTER demo_sources EXCLUDE REGEX "/wordfreq/main\\.c$") # the showcase counts words itself
if(demo_sources)
  add_executable(runnel-demo ${demo_sources})
  runnel_program(runnel-demo bin)
  target_compile_definitions(runnel-demo PRIVATE RUNNEL_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  target_link_libraries(runnel-demo PRIVATE runnel::static)
  add_custom_target(demo COMMAND runnel-demo USES_TERMINAL VERBATIM)
  if(RUNNEL_TESTS)
    # It fills the memory with goroutines and measures: alone, once, and only at full speed.
    if(RUNNEL_SANITIZE OR CMAKE_CROSSCOMPILING)
      add_test(NAME examples.demo COMMAND "${PROJECT_SOURCE_DIR}/tests/run-skip"
               "the showcase measures, and is run in the plain build")
    else()
      add_test(NAME examples.demo COMMAND runnel-demo)
    endif()
    set_tests_properties(examples.demo PROPERTIES
      TIMEOUT 300 LABELS "examples;script" SKIP_RETURN_CODE 77 RUN_SERIAL TRUE)
  endif()
endif()

file(GLOB examples CONFIGURE_DEPENDS "${here}/*.c")
foreach(source IN LISTS examples)
  string(REGEX REPLACE "\\.c$" "" stem "${source}")
  if(RUNNEL_TESTS AND (EXISTS "${stem}.out" OR EXISTS "${stem}.err"))
    runnel_test_program(examples "${source}" FOLDER examples)
  else()
    runnel_test_program(examples "${source}" FOLDER examples NO_TEST)
  endif()
endforeach()

file(GLOB folders LIST_DIRECTORIES true CONFIGURE_DEPENDS "${here}/*")
foreach(folder IN LISTS folders)
  get_filename_component(name "${folder}" NAME)
  file(GLOB parts CONFIGURE_DEPENDS "${folder}/*.c")
  if(NOT IS_DIRECTORY "${folder}" OR NOT parts OR name STREQUAL "demo")
    continue()
  endif()
  add_executable(examples.${name} ${parts})
  runnel_program(examples.${name} examples)
  set_target_properties(examples.${name} PROPERTIES OUTPUT_NAME ${name})
  target_link_libraries(examples.${name} PRIVATE runnel::static)
  if(RUNNEL_TESTS AND EXISTS "${folder}/${name}.sh")
    runnel_test_script(examples "${folder}/${name}.sh" $<TARGET_FILE:examples.${name}>)
  endif()
endforeach()

if(RUNNEL_TESTS AND EXISTS "${here}/check.sh")
  runnel_test_script(examples "${here}/check.sh")
endif()
