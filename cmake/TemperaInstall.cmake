include(CMakePackageConfigHelpers)

# Plug-ins lie in the library folder beside bin/; libraries found outside the system's folders (Spack, conda) stay found.
file(RELATIVE_PATH bin_to_lib ${CMAKE_INSTALL_FULL_BINDIR} ${CMAKE_INSTALL_FULL_LIBDIR})
set_target_properties(tempera PROPERTIES INSTALL_RPATH "$ORIGIN/${bin_to_lib}" INSTALL_RPATH_USE_LINK_PATH ON)
install(TARGETS tempera RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(TARGETS tempera_core tempera_distributed EXPORT temperaTargets
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY core distributed DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/tempera
  FILES_MATCHING PATTERN "*.hpp")
install(DIRECTORY drivers/studies DESTINATION ${CMAKE_INSTALL_DATADIR}/tempera)
# Batch jobs find one program beside the other, installed or not.
configure_file(${PROJECT_SOURCE_DIR}/cluster/slurm/tempera-batch ${PROJECT_BINARY_DIR}/tempera-batch COPYONLY)
install(PROGRAMS cluster/slurm/tempera-batch DESTINATION ${CMAKE_INSTALL_BINDIR})
install(DIRECTORY cluster/slurm DESTINATION ${CMAKE_INSTALL_DATADIR}/tempera PATTERN tempera-batch EXCLUDE)
install(EXPORT temperaTargets NAMESPACE tempera:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/tempera)
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/temperaConfig.cmake.in
  ${PROJECT_BINARY_DIR}/temperaConfig.cmake INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/tempera)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/temperaConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES
  ${PROJECT_BINARY_DIR}/temperaConfig.cmake ${PROJECT_BINARY_DIR}/temperaConfigVersion.cmake
  ${PROJECT_SOURCE_DIR}/cmake/TemperaDependencies.cmake
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/tempera)
