#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace tempera::drivers {

/// What every manifest says of program, machine and job: version, git hash, compiler, flags, MPI and BLAS versions,
/// number of ranks and their hosts (one name a node).
nlohmann::ordered_json manifest_of_build(int mpi_ranks, const std::vector<std::string>& hosts);

/// manifest.json of a run. @throws Error{input} if there is no run in the folder, or its manifest is damaged
nlohmann::ordered_json read_manifest(const std::filesystem::path& run);

}  // namespace tempera::drivers
