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

# Every header compiles alone. A header that its own .cpp includes before anything else is proved by that compilation;
# each other one gets a probe. Built, not run: a compile error names the header, and ccache remembers the rest.
function(headers_to_probe result)
  set(probed "")
  foreach(header IN LISTS ARGN)
    string(REGEX REPLACE "hpp$" "cpp" source ${header})
    set(first "")
    if(EXISTS ${PROJECT_SOURCE_DIR}/${source})
      file(STRINGS ${PROJECT_SOURCE_DIR}/${source} first REGEX "^#include" LIMIT_COUNT 1)
    endif()
    if(NOT first STREQUAL "#include \"${header}\"")
      list(APPEND probed ${header})
    endif()
  endforeach()
  set(${result} ${probed} PARENT_SCOPE)
endfunction()

function(compile_together target)
  foreach(header IN LISTS ARGN)
    string(APPEND text "#include \"${header}\"\n")
  endforeach()
  set(probe ${CMAKE_CURRENT_BINARY_DIR}/headers_alone/${target}.cpp)
  file(CONFIGURE OUTPUT ${probe} CONTENT "${text}" @ONLY)
  target_sources(${target} PRIVATE ${probe})
endfunction()

function(compile_each_alone target)
  foreach(header IN LISTS ARGN)
    string(MAKE_C_IDENTIFIER ${header} name)
    set(probe ${CMAKE_CURRENT_BINARY_DIR}/headers_alone/${name}.cpp)
    file(CONFIGURE OUTPUT ${probe} CONTENT "#include \"${header}\"\n#include \"${header}\"\n" @ONLY)
    target_sources(${target} PRIVATE ${probe})
  endforeach()
endfunction()

file(GLOB public_core_headers CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/core/*/*.hpp
  ${PROJECT_SOURCE_DIR}/core/sampling/targets/*.hpp ${PROJECT_SOURCE_DIR}/core/sampling/explorers/*.hpp)
file(GLOB other_headers CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR}
  ${PROJECT_SOURCE_DIR}/core/*/detail/*.hpp ${PROJECT_SOURCE_DIR}/core/sampling/*/detail/*.hpp
  ${PROJECT_SOURCE_DIR}/distributed/*/*.hpp ${PROJECT_SOURCE_DIR}/distributed/*/detail/*.hpp)
headers_to_probe(probed_core_headers ${public_core_headers})
headers_to_probe(probed_other_headers ${other_headers})

# All public headers of core/ at once behind a poisoned mpi.h: none reaches MPI, not even through something else.
add_library(core_headers_without_mpi OBJECT)
compile_together(core_headers_without_mpi ${public_core_headers})
compile_each_alone(core_headers_without_mpi ${probed_core_headers})
target_include_directories(core_headers_without_mpi BEFORE PRIVATE ${structure_folder}/poison)
target_link_libraries(core_headers_without_mpi PRIVATE tempera_flags tempera_core)
add_library(other_headers_alone OBJECT)
compile_each_alone(other_headers_alone ${probed_other_headers})
target_link_libraries(other_headers_alone PRIVATE tempera_flags tempera_distributed tempera_hdf5 tempera_blas ZLIB::ZLIB)
foreach(target IN ITEMS core_headers_without_mpi other_headers_alone)
  target_compile_options(${target} PRIVATE -O0 -g0)
endforeach()
add_test(NAME structure_poisoned_mpi_header_is_found_first
  COMMAND ${CMAKE_CXX_COMPILER} -fsyntax-only -I${structure_folder}/poison ${structure_folder}/poison/reaches_mpi.cpp)
set_tests_properties(structure_poisoned_mpi_header_is_found_first PROPERTIES
  PASS_REGULAR_EXPRESSION "core/ is mathematics on one process")

set_tests_properties(${structure_tests} structure_rules_can_fail structure_poisoned_mpi_header_is_found_first PROPERTIES
  LABELS structure)
