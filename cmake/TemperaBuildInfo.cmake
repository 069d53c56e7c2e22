# tempera_build_info: version, git hash and flags, refreshed at every build but compiled again only when they change.
set(TEMPERA_BUILD_INFO_CPP "${PROJECT_BINARY_DIR}/generated/build_info.cpp")
string(TOUPPER "${CMAKE_BUILD_TYPE}" build_type_upper)
string(STRIP "${CMAKE_CXX_FLAGS} ${CMAKE_CXX_FLAGS_${build_type_upper}}" TEMPERA_CXX_FLAGS_TEXT)
if(TEMPERA_SANITIZE)
  string(APPEND TEMPERA_CXX_FLAGS_TEXT " -fsanitize=address,undefined")
endif()
add_custom_target(tempera_refresh_build_info
  COMMAND ${CMAKE_COMMAND}
    -DSOURCE_DIR=${PROJECT_SOURCE_DIR} -DOUTPUT=${TEMPERA_BUILD_INFO_CPP}
    -DTEMPLATE=${PROJECT_SOURCE_DIR}/cmake/build_info.cpp.in
    -DVERSION=${PROJECT_VERSION} -DBUILD_TYPE=${CMAKE_BUILD_TYPE}
    "-DFLAGS=${TEMPERA_CXX_FLAGS_TEXT}"
    "-DCOMPILER=${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION}"
    -P ${PROJECT_SOURCE_DIR}/cmake/WriteBuildInfo.cmake
  BYPRODUCTS ${TEMPERA_BUILD_INFO_CPP}
  VERBATIM)
