# The installed package serves an outside project (package/): find_package, build, run on two ranks.
set(package_flags "")
if(TEMPERA_SANITIZE)
  set(package_flags "-fsanitize=address,undefined")
endif()
add_test(NAME package_serves_an_outside_project
  COMMAND ${CMAKE_COMMAND} -DBUILD=${PROJECT_BINARY_DIR} -DSOURCE=${PROJECT_SOURCE_DIR}
    -DSCRATCH=${CMAKE_CURRENT_BINARY_DIR}/package_scratch -DCOMPILER=${CMAKE_CXX_COMPILER} -DFLAGS=${package_flags}
    "-DRUN_PREFIX=${MPIEXEC_EXECUTABLE} ${MPIEXEC_NUMPROC_FLAG} 2" "-DLIBRARIES=${CMAKE_PREFIX_PATH}"
    -P ${CMAKE_CURRENT_LIST_DIR}/package/check.cmake)
set_tests_properties(package_serves_an_outside_project PROPERTIES LABELS package TIMEOUT 300 PROCESSORS 2)

# The packages of Debian: built, installed into a root of their own, used from there.
if(TEMPERA_OPEN_MPI AND NOT TEMPERA_SANITIZE)
  add_test(NAME package_of_debian
    COMMAND ${CMAKE_COMMAND} -DBUILD=${PROJECT_BINARY_DIR} -DSOURCE=${PROJECT_SOURCE_DIR}
      -DSCRATCH=${CMAKE_CURRENT_BINARY_DIR}/deb_scratch -DCOMPILER=${CMAKE_CXX_COMPILER} -DVERSION=${PROJECT_VERSION}
      -P ${CMAKE_CURRENT_LIST_DIR}/package/check_deb.cmake)
  set_tests_properties(package_of_debian PROPERTIES LABELS package TIMEOUT 300 PROCESSORS 2 SKIP_REGULAR_EXPRESSION "SKIPPED:")
endif()
