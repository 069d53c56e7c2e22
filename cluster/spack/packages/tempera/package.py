# Use: spack repo add cluster/spack && spack dev-build tempera@main   (from the checkout)
from spack.package import *
from spack_repo.builtin.build_systems.cmake import CMakePackage


class Tempera(CMakePackage):
    """Distributed tensors, posterior sampling and Bayesian optimisation over MPI."""

    license("BSD-3-Clause")

    version("main")

    depends_on("c", type="build")
    depends_on("cxx", type="build")
    depends_on("cmake@3.25:", type="build")
    depends_on("ninja", type="build")
    depends_on("pkgconf", type="build")

    depends_on("mpi")
    depends_on("eigen")
    depends_on("openblas")
    depends_on("netlib-scalapack")
    depends_on("boost@1.74:+mpi+serialization")
    depends_on("hdf5+mpi")
    depends_on("netcdf-c+mpi")
    depends_on("zlib-api")
    depends_on("random123")
    depends_on("cli11")
    depends_on("tomlplusplus")
    depends_on("nlohmann-json")
    depends_on("fmt")
    depends_on("openssl")
    depends_on("googletest+gmock", type="test")

    generator("ninja")

    def cmake_args(self):
        return [
            self.define("TEMPERA_BUILD_TESTS", self.run_tests),
            self.define("TEMPERA_BUILD_BENCH", self.run_tests),
            self.define("TEMPERA_WERROR", False),
        ]
