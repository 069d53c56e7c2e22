# cpack -G DEB, in the build folder: tempera, and libtempera-dev for those who build against the library.
set(TEMPERA_PACKAGE_CONTACT "Tempera developers <tempera@${CMAKE_PROJECT_NAME}.invalid>" CACHE STRING
  "Maintainer of the Debian packages; whoever distributes them sets an address that is read")

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME tempera)
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "distributed tensors, posterior sampling, Bayesian optimisation")
set(CPACK_PACKAGE_VENDOR "Tempera developers")
set(CPACK_PACKAGE_CONTACT "${TEMPERA_PACKAGE_CONTACT}")
set(CPACK_RESOURCE_FILE_LICENSE ${PROJECT_SOURCE_DIR}/LICENSE)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_COMPONENTS_ALL runtime development)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
# What Debian wants otherwise than other systems; see there.
set(CPACK_PRE_BUILD_SCRIPTS ${PROJECT_SOURCE_DIR}/cmake/StageDebianPackage.cmake)

set(CPACK_DEBIAN_RUNTIME_PACKAGE_NAME tempera)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SECTION science)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_DEPENDS openmpi-bin)
set(CPACK_COMPONENT_RUNTIME_DESCRIPTION "Tempera factors sparse and dense tensors with millions of entries, draws from
posteriors by parallel tempering, and finds the best settings of expensive
programs in few trials, on one process or on many MPI ranks.")

# The headers name those of the libraries below them, so their packages come along: all of the one list but tools and tests.
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME libtempera-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
file(STRINGS ${PROJECT_SOURCE_DIR}/cluster/dependencies.txt dependency_rows REGEX "^[^ ]+-dev ")
list(TRANSFORM dependency_rows REPLACE " .*" "")
list(FILTER dependency_rows EXCLUDE REGEX "^(libgtest|libgmock|dpkg)-dev$")
list(JOIN dependency_rows ", " CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS)
set(CPACK_COMPONENT_DEVELOPMENT_DESCRIPTION "Headers, static libraries and the CMake package of Tempera: tensors, parallel
tempering and Bayesian optimisation on the communicator of the caller.")
include(CPack)
