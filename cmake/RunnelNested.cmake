# RunnelNested.cmake - the same tests under other compilers, sanitizers and CPUs. Each is one test that
# configures, builds and tests in a folder of its own; tests/run-nested knows how.
foreach(build asan tsan clang O0 O3 lto musl aarch64 riscv64)
  set(kind build)
  if(build MATCHES "san$")
    set(kind sanitizer)
  elseif(build MATCHES "64$")
    set(kind cross)
  endif()
  set(test ${kind}.${build})
  add_test(NAME ${test} COMMAND "${PROJECT_SOURCE_DIR}/tests/run-nested" ${build})
  set_tests_properties(${test} PROPERTIES
    TIMEOUT 900 SKIP_RETURN_CODE 77 LABELS "${kind};nested" RUN_SERIAL TRUE
    ENVIRONMENT "RUNNEL_BUILD=${PROJECT_BINARY_DIR};RUNNEL_SOURCE=${PROJECT_SOURCE_DIR};CC=${CMAKE_C_COMPILER};CMAKE=${CMAKE_COMMAND}")
endforeach()
