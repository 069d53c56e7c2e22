# The environment of sanitized tests, and valgrind on one rank where it is installed (label `long`).
set(sanitizers_folder ${CMAKE_CURRENT_LIST_DIR}/sanitizers)
if(TEMPERA_SANITIZE)
  list(APPEND TEMPERA_TEST_ENVIRONMENT
    LSAN_OPTIONS=suppressions=${sanitizers_folder}/lsan.supp:print_suppressions=0
    UBSAN_OPTIONS=print_stacktrace=1)
  foreach(target IN ITEMS tempera unit_tests mpi_tests cli_tests)
    if(TARGET ${target})
      target_sources(${target} PRIVATE ${sanitizers_folder}/keep_plugins.cpp)
    endif()
  endforeach()
else()
  find_program(VALGRIND_PROGRAM valgrind)
  if(VALGRIND_PROGRAM)
    add_test(NAME valgrind_one_rank
      COMMAND ${CMAKE_COMMAND} -DVALGRIND=${VALGRIND_PROGRAM} -DTEMPERA=$<TARGET_FILE:tempera>
        -DSCRATCH=${CMAKE_CURRENT_BINARY_DIR}/valgrind_scratch -P ${sanitizers_folder}/valgrind.cmake)
    set_tests_properties(valgrind_one_rank PROPERTIES LABELS long TIMEOUT 600)
  endif()
endif()
