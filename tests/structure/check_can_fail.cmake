# cmake -DSCRATCH=<folder> -P check_can_fail.cmake: each rule of check.cmake is broken once in a tiny tree and must complain,
# and must be silent on the tree without the defect.
cmake_minimum_required(VERSION 3.25)

function(make_sound_tree)
  file(REMOVE_RECURSE ${SCRATCH})
  foreach(folder IN ITEMS core core/base core/tensor core/io distributed distributed/als drivers)
    file(WRITE ${SCRATCH}/${folder}/README.md "# ${folder}\n")
    file(WRITE ${SCRATCH}/${folder}/sound.cpp "#include <vector>\n\n#include \"core/base/error.hpp\"\n")
  endforeach()
  file(WRITE ${SCRATCH}/core/io/reader.cpp "#include \"core/tensor/shape.hpp\"\n#include \"core/io/detail/line.hpp\"\n")
  file(WRITE ${SCRATCH}/drivers/main.cpp "#include \"distributed/als/sweep.hpp\"\n")
  file(WRITE ${SCRATCH}/CMakeLists.txt "find_package(fmt REQUIRED)\nfind_package(Threads REQUIRED)\n")
  file(WRITE ${SCRATCH}/cluster/dependencies.txt "# comment\nlibfmt-dev fmt fmt+shared fmt\nlibcblas-dev - openblas cblas=*\n")
  file(WRITE ${SCRATCH}/cluster/README.md "`fmt openblas cblas`\n")
  file(WRITE ${SCRATCH}/cluster/containers/Dockerfile "RUN ./cluster/setup.sh deps\n")
  file(WRITE ${SCRATCH}/cluster/spack/packages/tempera/package.py
    "depends_on(\"cxx\")\ndepends_on(\"fmt@9:\")\ndepends_on(\"openblas\")\n")
endfunction()

function(run_rule rule)
  execute_process(COMMAND ${CMAKE_COMMAND} -DROOT=${SCRATCH} -DRULE=${rule} -P ${CMAKE_CURRENT_LIST_DIR}/check.cmake
    RESULT_VARIABLE status ERROR_VARIABLE message)
  set(status "${status}" PARENT_SCOPE)
  set(message "${message}" PARENT_SCOPE)
endfunction()

# RULE complains with EXPECTED once FILE holds TEXT.
function(expect_complaint rule expected file text)
  make_sound_tree()
  file(WRITE ${SCRATCH}/${file} "${text}")
  run_rule(${rule})
  if(status EQUAL 0 OR NOT message MATCHES "${expected}")
    message(SEND_ERROR "rule ${rule}: expected '${expected}' for ${file}, got status ${status}: ${message}")
  endif()
endfunction()

make_sound_tree()
foreach(rule IN ITEMS top_level layers mpi_free_core readmes file_length dependencies)
  run_rule(${rule})
  if(NOT status EQUAL 0)
    message(SEND_ERROR "rule ${rule} complains about a sound tree: ${message}")
  endif()
endforeach()

expect_complaint(top_level "notes.txt: not an entry" notes.txt "x")
expect_complaint(layers "core/ must not include \"distributed/als/sweep.hpp\"" core/base/bad.cpp
  "#include \"distributed/als/sweep.hpp\"\n")
expect_complaint(layers "distributed/ must not include" distributed/als/bad.cpp "#include \"drivers/main.hpp\"\n")
expect_complaint(layers "comes later in the order" core/tensor/bad.cpp "#  include \"core/io/reader.hpp\"\n")
expect_complaint(layers "not in a folder of core/" core/extras/bad.cpp "#include \"core/base/error.hpp\"\n")
expect_complaint(layers "belongs to its own folder alone" distributed/als/bad.cpp "#include \"core/io/detail/line.hpp\"\n")
expect_complaint(layers "from the root of the repository" core/io/bad.cpp "#include \"line.hpp\"\n")
expect_complaint(layers "write it in quotes" core/io/bad.cpp "#include <core/base/error.hpp>\n")
expect_complaint(layers "outside the neural plug-in" core/io/bad.cpp "#include <torch/torch.h>\n")
expect_complaint(mpi_free_core "includes mpi.h" core/io/bad.hpp "#include <mpi.h>\n")
expect_complaint(mpi_free_core "includes boost/mpi" core/io/bad.cpp "#include <boost/mpi/communicator.hpp>\n")
expect_complaint(readmes "distributed/tensor/: has no README" distributed/tensor/new.cpp "\n")
string(REPEAT "a line\n" 16 text)
expect_complaint(readmes "16 lines, at most 15" core/io/README.md "${text}")
string(REPEAT "int i\n" 451 text)
expect_complaint(file_length "451 lines, at most 450" core/io/bad.cpp "${text}")
expect_complaint(dependencies "find_package names NLopt" core/CMakeLists.txt "find_package(NLopt REQUIRED)\n")
expect_complaint(dependencies "the Spack recipe does not.*README.md does not name newlib" cluster/dependencies.txt
  "libfmt-dev fmt fmt fmt\nlibcblas-dev - openblas cblas\nlibnew-dev - newlib new\n")
expect_complaint(dependencies "the Spack recipe names extra" cluster/spack/packages/tempera/package.py
  "depends_on(\"fmt\")\ndepends_on(\"openblas\")\ndepends_on(\"extra\")\n")
expect_complaint(dependencies "Dockerfile must take" cluster/containers/Dockerfile
  "RUN ./cluster/setup.sh deps && apt-get install libfmt-dev\n")
