# cmake --install: headers, archives, pkg-config files and a package for find_package. What libsodium
# was compiled from the pinned archive is installed too, so that firmware finds all in one place; a
# backend of the user's is his to install, and Ferrule with it.
if(NOT FERRULE_TOP OR NOT FERRULE_CRYPTO STREQUAL "sodium")
  return()
endif()
include(GNUInstallDirs)
set(FERRULE_PC_REQUIRES "libsodium >= 1.0.18")
set(FERRULE_PC_NANOPB "")
set(FERRULE_PC_SODIUM "")
if(TARGET ferrule_trimmed_sodium)
  set(FERRULE_PC_REQUIRES "")
  set(FERRULE_PC_SODIUM "-lferrule_trimmed_sodium -Wl,--gc-sections")
  if(FERRULE_NO_LONG_MULTIPLY)
    string(APPEND FERRULE_PC_SODIUM " -Wl,-u,__aeabi_lmul")
  endif()
  install(TARGETS ferrule_trimmed_sodium ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
endif()
install(TARGETS ferrule ferrule_conformance ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
if(TARGET ferrule_pinned_nanopb)
  set(FERRULE_PC_NANOPB "-lferrule_pinned_nanopb")
  install(TARGETS ferrule_pinned_nanopb ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
endif()
install(DIRECTORY include/ferrule DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING
  PATTERN *.h)
# Relative, so that the installed folder may be moved and --prefix is honoured.
file(RELATIVE_PATH FERRULE_PC_UP /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
foreach(name ferrule ferrule-conformance)
  configure_file(cmake/${name}.pc.in ${PROJECT_BINARY_DIR}/${name}.pc @ONLY)
endforeach()
install(FILES ${PROJECT_BINARY_DIR}/ferrule.pc ${PROJECT_BINARY_DIR}/ferrule-conformance.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
set(package ${CMAKE_INSTALL_LIBDIR}/cmake/ferrule)
file(RELATIVE_PATH FERRULE_PACKAGE_UP /${package} /)
configure_file(cmake/ferrule-config.cmake.in ${PROJECT_BINARY_DIR}/ferrule-config.cmake @ONLY)
include(CMakePackageConfigHelpers)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/ferrule-config-version.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/ferrule-config.cmake
  ${PROJECT_BINARY_DIR}/ferrule-config-version.cmake cmake/ferrule_lifetime.cmake
  DESTINATION ${package})
