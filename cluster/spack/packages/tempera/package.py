# Use, from a checkout:
#     spack repo add cluster/spack
#     spack dev-build tempera@main ^openmpi          (or ^mpich, ^intel-oneapi-mpi; blas=mkl)
import os

from spack.package import *
from spack_repo.builtin.build_systems.cmake import CMakePackage, generator


class Tempera(CMakePackage):
    """Distributed tensors, posterior sampling and Bayesian optimisation over MPI: factors sparse and dense tensors, draws
    from posteriors by parallel tempering and optimises expensive programs, on any number of MPI ranks."""

    license("BSD-3-Clause")

    version("main")

    variant("blas", default="openblas", values=("openblas", "mkl"), multi=False, description="BLAS, LAPACK and ScaLAPACK")
    variant("tests", default=False, description="Build the test suite as well")

    depends_on("c", type="build")
    depends_on("cxx", type="build")
    depends_on("cmake@3.25:", type="build")
    depends_on("ninja", type="build")
    depends_on("pkgconf", type="build")

    # Any MPI: HDF5, NetCDF and ScaLAPACK are built against the same one, which a process must not mix.
    depends_on("mpi")
    depends_on("eigen")
    depends_on("openblas", when="blas=openblas")
    depends_on("netlib-scalapack", when="blas=openblas")
    depends_on("intel-oneapi-mkl+cluster", when="blas=mkl")
    depends_on("boost@1.74:+serialization")
    depends_on("hdf5+mpi")
    depends_on("netcdf-c+mpi")
    depends_on("zlib-api")
    depends_on("random123")
    depends_on("cli11")
    depends_on("tomlplusplus")
    depends_on("nlohmann-json")
    depends_on("fmt")
    depends_on("openssl")
    depends_on("googletest+gmock", type=("build", "test"), when="+tests")
    depends_on("googletest+gmock", type="test")

    generator("ninja")

    def cmake_args(self):
        tests = self.run_tests or self.spec.satisfies("+tests")
        return [
            self.define("TEMPERA_BUILD_TESTS", tests),
            self.define("TEMPERA_BUILD_BENCH", False),
            self.define("TEMPERA_WERROR", False),
            self.define_from_variant("TEMPERA_BLAS", "blas"),
        ]

    def check(self):
        with working_dir(self.build_directory):
            ctest("--output-on-failure", "--label-exclude", "long|slurm")

    def setup_run_environment(self, env):
        # A rank is one thread of BLAS; Tempera's own are those of --threads. Modules bring man pages and completion along.
        env.set("OPENBLAS_NUM_THREADS", "1")
        env.prepend_path("XDG_DATA_DIRS", self.prefix.share)
        env.prepend_path("FPATH", join_path(self.prefix.share, "zsh", "site-functions"))

    @run_after("install")
    def files_are_installed(self):
        for path in ("bin/tempera", "share/man/man1/tempera.1", "share/bash-completion/completions/tempera"):
            if not os.path.exists(join_path(self.prefix, path)):
                raise InstallError("tempera: {0} was not installed".format(path))

    def test_version(self):
        """the program starts and finds its libraries"""
        tempera = which(self.prefix.bin.tempera)
        assert "tempera " in tempera("--version", output=str.split, error=str.split)

    def test_doctor(self):
        """its libraries fit each other"""
        tempera = which(self.prefix.bin.tempera)
        out = tempera("doctor", output=str.split, error=str.split)
        assert "ScaLAPACK" in out
