include(CMakePackageConfigHelpers)
# What people run, and beside it what only builds against the library.
set(CMAKE_INSTALL_DEFAULT_COMPONENT_NAME runtime)

# Plug-ins lie in the library folder beside bin/; libraries found outside the system's folders (Spack, conda) stay found.
file(RELATIVE_PATH bin_to_lib ${CMAKE_INSTALL_FULL_BINDIR} ${CMAKE_INSTALL_FULL_LIBDIR})
set_target_properties(tempera PROPERTIES INSTALL_RPATH "$ORIGIN/${bin_to_lib}" INSTALL_RPATH_USE_LINK_PATH ON)
install(TARGETS tempera RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(TARGETS tempera_core tempera_distributed EXPORT temperaTargets
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT development
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT development)
install(DIRECTORY core distributed DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/tempera COMPONENT development
  FILES_MATCHING PATTERN "*.hpp")
install(DIRECTORY drivers/studies DESTINATION ${CMAKE_INSTALL_DATADIR}/tempera USE_SOURCE_PERMISSIONS)
# Batch jobs find one program beside the other, installed or not.
configure_file(${PROJECT_SOURCE_DIR}/cluster/slurm/tempera-batch ${PROJECT_BINARY_DIR}/tempera-batch COPYONLY)
install(PROGRAMS cluster/slurm/tempera-batch DESTINATION ${CMAKE_INSTALL_BINDIR})
install(DIRECTORY cluster/slurm DESTINATION ${CMAKE_INSTALL_DATADIR}/tempera USE_SOURCE_PERMISSIONS PATTERN tempera-batch EXCLUDE)
# Completion, man pages, the licence; what one edits for one's own machines.
install(DIRECTORY ${PROJECT_BINARY_DIR}/share/bash-completion ${PROJECT_BINARY_DIR}/share/zsh
  DESTINATION ${CMAKE_INSTALL_DATADIR})
install(DIRECTORY ${PROJECT_BINARY_DIR}/share/man/ DESTINATION ${CMAKE_INSTALL_MANDIR})
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} RENAME copyright)
install(FILES cluster/mpirun.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY cluster/hostfiles DESTINATION ${CMAKE_INSTALL_DATADIR}/tempera)
# The module file says where this installation is; a copy of it in the site's folder of modules works as well.
install(DIRECTORY cluster/modules/ DESTINATION ${CMAKE_INSTALL_DATADIR}/tempera/modulefiles)
install(CODE "
  set(module \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_DATADIR}/tempera/modulefiles/tempera/${PROJECT_VERSION}.lua\")
  file(READ \"\${module}\" text)
  string(REPLACE \"/opt/tempera/${PROJECT_VERSION}\" \"\${CMAKE_INSTALL_PREFIX}\" text \"\${text}\")
  file(WRITE \"\${module}\" \"\${text}\")")
install(EXPORT temperaTargets NAMESPACE tempera:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/tempera COMPONENT development)
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/temperaConfig.cmake.in
  ${PROJECT_BINARY_DIR}/temperaConfig.cmake INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/tempera)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/temperaConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES
  ${PROJECT_BINARY_DIR}/temperaConfig.cmake ${PROJECT_BINARY_DIR}/temperaConfigVersion.cmake
  ${PROJECT_SOURCE_DIR}/cmake/TemperaDependencies.cmake ${PROJECT_SOURCE_DIR}/cmake/TemperaMkl.cmake
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/tempera COMPONENT development)
