# MKL in place of OpenBLAS, LAPACKE and ScaLAPACK (-DTEMPERA_BLAS=mkl): its sequential library, as a rank's threads call BLAS
# each for itself, and of its BLACS that for the MPI found before.
find_path(TEMPERA_MKL_INCLUDE mkl_cblas.h HINTS $ENV{MKLROOT}/include PATH_SUFFIXES mkl REQUIRED)
set(mkl_folders HINTS $ENV{MKLROOT}/lib PATH_SUFFIXES intel64)
set(blacs mkl_blacs_intelmpi_lp64)  # of MPICH and its relatives, which share their binary interface
if(TEMPERA_OPEN_MPI)
  set(blacs mkl_blacs_openmpi_lp64)
endif()
foreach(name IN ITEMS mkl_scalapack_lp64 ${blacs} mkl_intel_lp64 mkl_sequential mkl_core)
  find_library(TEMPERA_${name}_LIBRARY ${name} ${mkl_folders} REQUIRED)
endforeach()
# The code includes the headers by their usual names; MKL's have others.
set(mkl_headers ${CMAKE_CURRENT_BINARY_DIR}/generated/mkl)
file(CONFIGURE OUTPUT ${mkl_headers}/cblas.h CONTENT "#include <mkl_cblas.h>\n" @ONLY)
file(CONFIGURE OUTPUT ${mkl_headers}/lapacke.h CONTENT "#include <mkl_lapacke.h>\n" @ONLY)
set(TEMPERA_CBLAS_INCLUDE ${mkl_headers} ${TEMPERA_MKL_INCLUDE})
set(TEMPERA_LAPACKE_INCLUDE ${TEMPERA_MKL_INCLUDE})
set(TEMPERA_LAPACKE_LIBRARY ${TEMPERA_mkl_intel_lp64_LIBRARY})
set(TEMPERA_BLAS_LIBRARY ${TEMPERA_mkl_sequential_LIBRARY} ${TEMPERA_mkl_core_LIBRARY})
set(TEMPERA_SCALAPACK_LIBRARY ${TEMPERA_mkl_scalapack_lp64_LIBRARY} ${TEMPERA_${blacs}_LIBRARY})
