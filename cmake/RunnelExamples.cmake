# RunnelExamples.cmake - every examples/X.c is a program; with examples/X.out beside it a test compares
# its output. examples/check.sh, where present, checks those that need more than that. The folder
# examples/demo is the showcase, target `demo`.
file(GLOB examples CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/examples/*.c")
file(GLOB demo_sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/examples/demo/*.c")

if(demo_sources)
  add_executable(runnel-demo ${demo_sources})
  set_target_properties(runnel-demo PROPERTIES
    C_STANDARD 11 C_EXTENSIONS ON RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/bin")
  target_link_libraries(runnel-demo PRIVATE runnel::static runnel_warnings runnel::strict)
  add_custom_target(demo COMMAND runnel-demo USES_TERMINAL VERBATIM)
endif()

foreach(source IN LISTS examples)
  string(REGEX REPLACE "\\.c$" ".out" golden "${source}")
  if(RUNNEL_TESTS AND EXISTS "${golden}")
    runnel_test_program(examples "${source}" FOLDER examples)
  else()
    runnel_test_program(examples "${source}" FOLDER examples NO_TEST)
  endif()
endforeach()
if(RUNNEL_TESTS AND EXISTS "${PROJECT_SOURCE_DIR}/examples/check.sh")
  runnel_test_script(examples "${PROJECT_SOURCE_DIR}/examples/check.sh")
endif()
