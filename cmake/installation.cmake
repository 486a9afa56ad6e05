# cmake --install: headers, archives and a pkg-config file. Only for hosts, where libsodium is the
# system's own: firmware takes Ferrule by add_subdirectory or by the list in sources.cmake.
if(NOT FERRULE_TOP OR CMAKE_CROSSCOMPILING OR FERRULE_TRIMMED_SODIUM
    OR NOT FERRULE_CRYPTO STREQUAL "sodium")
  return()
endif()
include(GNUInstallDirs)
set(FERRULE_PC_NANOPB "")
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
install(FILES ${PROJECT_BINARY_DIR}/ferrule-config.cmake cmake/ferrule_lifetime.cmake
  DESTINATION ${package})
