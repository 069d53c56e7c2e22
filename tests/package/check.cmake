# cmake -DBUILD=… -DSOURCE=… -DSCRATCH=… -DCOMPILER=… -DFLAGS=… -DRUN_PREFIX=… -DLIBRARIES=… -P check.cmake
# Installs BUILD into a scratch prefix and uses the package from outside.
cmake_minimum_required(VERSION 3.25)
set(prefix ${SCRATCH}/prefix)
file(REMOVE_RECURSE ${SCRATCH})
file(MAKE_DIRECTORY ${SCRATCH})

include(${CMAKE_CURRENT_LIST_DIR}/run.cmake)

run(${CMAKE_COMMAND} --install ${BUILD} --prefix ${prefix} --strip)

# A moved or shared installation must not remember where it was built or where its libraries stood on that machine.
file(GLOB_RECURSE exported ${prefix}/*.cmake)
if(NOT exported)
  message(FATAL_ERROR "no CMake package was installed into ${prefix}")
endif()
foreach(file IN LISTS exported)
  file(STRINGS ${file} leaks REGEX "(${SOURCE}/|${BUILD}/|${prefix}/|/usr/(lib|include|local)|/opt/|/home/)")
  list(FILTER leaks EXCLUDE REGEX "^#")
  if(leaks)
    message(FATAL_ERROR "${file} holds paths of this machine: ${leaks}")
  endif()
endforeach()

# The module file has to.
file(GLOB module ${prefix}/share/tempera/modulefiles/tempera/*.lua)
file(STRINGS ${module} own_folder REGEX "^local prefix = \"${prefix}\"$")
if(NOT own_folder)
  message(FATAL_ERROR "the module file '${module}' does not name ${prefix}")
endif()

# Where the build was told to look for libraries, people look as well.
list(JOIN LIBRARIES ":" folders)
if(folders)
  set(ENV{CMAKE_PREFIX_PATH} "${folders}:$ENV{CMAKE_PREFIX_PATH}")
endif()
run(${CMAKE_COMMAND} -E copy_directory ${CMAKE_CURRENT_LIST_DIR} ${SCRATCH}/source)
run(${CMAKE_COMMAND} -E rename ${prefix} ${SCRATCH}/moved)
run(${CMAKE_COMMAND} -G Ninja -S ${SCRATCH}/source -B ${SCRATCH}/build -DCMAKE_BUILD_TYPE=Release
  -DCMAKE_CXX_COMPILER=${COMPILER} -DCMAKE_PREFIX_PATH=${SCRATCH}/moved "-DCMAKE_CXX_FLAGS=${FLAGS}")
run(${CMAKE_COMMAND} --build ${SCRATCH}/build)
if(FLAGS)
  set(ENV{ASAN_OPTIONS} detect_leaks=0)  # MPI's own leaks; the suppressions belong to this project's executables
endif()
separate_arguments(RUN_PREFIX)
run(${RUN_PREFIX} ${SCRATCH}/build/outside)
if(NOT output MATCHES "fit 1.000000")
  message(FATAL_ERROR "the outside program printed: ${output}")
endif()
message("${output}")

run(${SCRATCH}/moved/bin/tempera --version)
if(NOT FLAGS)  # the sanitizers note source files by their full path
  file(STRINGS ${SCRATCH}/moved/bin/tempera leaks REGEX "(${SOURCE}/|${BUILD}/)")
  if(leaks)
    message(FATAL_ERROR "the installed executable remembers where it was built: ${leaks}")
  endif()
endif()
