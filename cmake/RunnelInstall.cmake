# RunnelInstall.cmake - headers, libraries, the CMake package, pkg-config's file, manual pages. All of it
# can be moved as a whole: nothing records the prefix.
include(CMakePackageConfigHelpers)

install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}"
        FILES_MATCHING PATTERN "*.h" PATTERN "*.hpp")
install(TARGETS ${RUNNEL_LIBRARIES} EXPORT runnel-targets
        ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}"
        LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}")
if(TARGET runnel_command)
  install(TARGETS runnel_command RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
endif()
if(EXISTS "${PROJECT_SOURCE_DIR}/docs/man")
  foreach(section 1 3 7)
    file(GLOB pages CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/docs/man/man${section}/*.${section}")
    if(pages)
      install(FILES ${pages} DESTINATION "${CMAKE_INSTALL_MANDIR}/man${section}")
    endif()
  endforeach()
endif()

# CMake: find_package(runnel), target runnel::runnel.
set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/runnel")
install(EXPORT runnel-targets NAMESPACE runnel:: DESTINATION "${package_dir}")
configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/runnel-config.cmake.in"
  "${PROJECT_BINARY_DIR}/runnel-config.cmake" INSTALL_DESTINATION "${package_dir}")
write_basic_package_version_file("${PROJECT_BINARY_DIR}/runnel-config-version.cmake"
  COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/runnel-config.cmake"
              "${PROJECT_BINARY_DIR}/runnel-config-version.cmake" DESTINATION "${package_dir}")

# pkg-config: the prefix is found from where the file lies.
file(RELATIVE_PATH RUNNEL_PC_PREFIX "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
string(REGEX REPLACE "/$" "" RUNNEL_PC_PREFIX "${RUNNEL_PC_PREFIX}")
string(REPLACE ";" " " RUNNEL_PC_LIBS "${RUNNEL_PRIVATE_LIBS}")
configure_file("${PROJECT_SOURCE_DIR}/cmake/runnel.pc.in" "${PROJECT_BINARY_DIR}/runnel.pc" @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/runnel.pc"
        DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
