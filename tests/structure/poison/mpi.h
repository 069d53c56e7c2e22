#error "a public header of core/ reaches mpi.h: core/ is mathematics on one process"
