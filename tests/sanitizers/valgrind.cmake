# cmake -DVALGRIND=… -DTEMPERA=… -DSCRATCH=… -P valgrind.cmake: one rank, start to end, without an error or a leak.
cmake_minimum_required(VERSION 3.25)
file(REMOVE_RECURSE ${SCRATCH})
file(WRITE ${SCRATCH}/tiny.tns "1 1 1 1.0\n1 2 1 2.0\n2 1 2 3.0\n3 2 2 4.0\n3 1 1 0.5\n")

function(under_valgrind)
  execute_process(COMMAND ${VALGRIND} --quiet --error-exitcode=9 --leak-check=full --keep-debuginfo=yes
      --suppressions=${CMAKE_CURRENT_LIST_DIR}/valgrind.supp ${TEMPERA} ${ARGN}
    RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT status EQUAL 0)
    list(JOIN ARGN " " arguments)
    message(FATAL_ERROR "tempera ${arguments}: status ${status}\n${output}")
  endif()
endfunction()

under_valgrind(--version)
under_valgrind(decompose ${SCRATCH}/tiny.tns --rank 2 --iterations 5 --output ${SCRATCH}/run)
under_valgrind(decompose ${SCRATCH}/tiny.tns --rank 2 --iterations 5 --constraint nonnegative --output ${SCRATCH}/run-nonnegative)
