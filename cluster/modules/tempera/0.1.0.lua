-- Tempera as a module of Lmod. The installation puts its own folder in place of this one:
local prefix = "/opt/tempera/0.1.0"

help([[
Tempera factors tensors, draws from posteriors by parallel tempering and optimises expensive programs over MPI ranks.
  mpirun -n 4 tempera decompose TENSOR --rank 16      tempera help                       man tempera
]])
whatis("Name: Tempera")
whatis("Version: 0.1.0")
whatis("Category: numerical library, application")
whatis("Description: Distributed tensors, posterior sampling and Bayesian optimisation over MPI")

conflict("tempera")
-- What Tempera was built with, by the names of this site; `tempera doctor` says when another MPI is loaded:
-- depends_on("openmpi/4.1.4")

prepend_path("PATH", pathJoin(prefix, "bin"))
prepend_path("MANPATH", pathJoin(prefix, "share/man"))
prepend_path("CMAKE_PREFIX_PATH", prefix)
prepend_path("XDG_DATA_DIRS", pathJoin(prefix, "share"))  -- where bash-completion looks
prepend_path("FPATH", pathJoin(prefix, "share/zsh/site-functions"))
setenv("TEMPERA_ROOT", prefix)
-- A rank is one thread of BLAS; Tempera's own threads are those of --threads.
setenv("OPENBLAS_NUM_THREADS", "1")
