# What architecture.md promises about the tree, as tests; the textual rules stand in structure/check.cmake.
set(structure_folder ${CMAKE_CURRENT_LIST_DIR}/structure)
foreach(rule IN ITEMS top_level layers mpi_free_core readmes file_length dependencies)
  add_test(NAME structure_${rule}
    COMMAND ${CMAKE_COMMAND} -DROOT=${PROJECT_SOURCE_DIR} -DRULE=${rule} -P ${structure_folder}/check.cmake)
  list(APPEND structure_tests structure_${rule})
endforeach()
add_test(NAME structure_rules_can_fail
  COMMAND ${CMAKE_COMMAND} -DSCRATCH=${CMAKE_CURRENT_BINARY_DIR}/structure_scratch
    -P ${structure_folder}/check_can_fail.cmake)

# Every header compiles alone, included twice. Built, not run: a compile error names the header, and ccache remembers the rest.
function(compile_headers_alone target)
  foreach(header IN LISTS ARGN)
    string(MAKE_C_IDENTIFIER ${header} name)
    set(probe ${CMAKE_CURRENT_BINARY_DIR}/headers_alone/${name}.cpp)
    file(CONFIGURE OUTPUT ${probe} CONTENT "#include \"${header}\"\n#include \"${header}\"\n" @ONLY)
    list(APPEND probes ${probe})
  endforeach()
  if(probes)
    add_library(${target} OBJECT ${probes})
    target_compile_options(${target} PRIVATE -O0 -g0)
    target_link_libraries(${target} PRIVATE tempera_flags)
  endif()
endfunction()

file(GLOB public_core_headers CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/core/*/*.hpp)
file(GLOB other_headers CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR}
  ${PROJECT_SOURCE_DIR}/core/*/detail/*.hpp
  ${PROJECT_SOURCE_DIR}/distributed/*/*.hpp ${PROJECT_SOURCE_DIR}/distributed/*/detail/*.hpp)
compile_headers_alone(core_headers_alone ${public_core_headers})
compile_headers_alone(other_headers_alone ${other_headers})
if(TARGET core_headers_alone)
  # A poisoned mpi.h comes first, so that no public header of core/ reaches MPI through something else either.
  target_include_directories(core_headers_alone BEFORE PRIVATE ${structure_folder}/poison)
  target_link_libraries(core_headers_alone PRIVATE tempera_core)
endif()
if(TARGET other_headers_alone)
  target_link_libraries(other_headers_alone PRIVATE tempera_distributed tempera_hdf5 tempera_blas ZLIB::ZLIB)
endif()
add_test(NAME structure_poisoned_mpi_header_is_found_first
  COMMAND ${CMAKE_CXX_COMPILER} -fsyntax-only -I${structure_folder}/poison ${structure_folder}/poison/reaches_mpi.cpp)
set_tests_properties(structure_poisoned_mpi_header_is_found_first PROPERTIES
  PASS_REGULAR_EXPRESSION "core/ is mathematics on one process")

set_tests_properties(${structure_tests} structure_rules_can_fail structure_poisoned_mpi_header_is_found_first PROPERTIES
  LABELS structure)
