#include "drivers/commands/decompose_start.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>

#include "core/base/error.hpp"
#include "core/base/sha256.hpp"
#include "core/base/text.hpp"
#include "core/io/kruskal_file.hpp"
#include "distributed/tensor/load.hpp"

namespace tempera::drivers {

namespace {

constexpr double kCellsAnotherRankPays = 1e5;
constexpr double kShareOfFreeMemory = 0.5;  // the factors of the groups need some too

void check_model(const KruskalFile& model, const DecomposeOptions& options, std::span<const Index> shape) {
  const bool same_shape = std::equal(shape.begin(), shape.end(), model.shape().begin(), model.shape().end());
  if (same_shape && model.rank() == options.rank) return;
  throw Error(Category::input, options.init,
              fmt::format("holds a start of shape {} and rank {}, for a tensor of shape {} and --rank {}",
                          fmt::join(model.shape(), " x "), model.rank(), fmt::join(shape, " x "), options.rank),
              same_shape ? fmt::format("--rank {} begins from it", model.rank())
                         : "name the factors.h5 of a run on a tensor of this shape");
}

/// The file, opened when it is first asked for.
class LazyStart {
 public:
  explicit LazyStart(StartFile file) : file_(std::move(file)) {}

  const KruskalFile& model() {
    if (model_) return *model_;
    const std::string now = sha256_of_file(file_.path);
    if (now != file_.sha256)
      throw Error(Category::input, file_.path.string(),
                  fmt::format("is not the start this run began with: its SHA-256 is {}, it was {}", now, file_.sha256),
                  "restore the file, or begin a new run");
    return model_.emplace(file_.path);
  }

 private:
  StartFile file_;
  std::optional<KruskalFile> model_;
};

}  // namespace

std::optional<StartFile> find_start_file(const Communicator& world, const DecomposeOptions& options,
                                         const std::optional<ResumedRun>& resume, std::span<const Index> shape) {
  if (options.init == "random" || options.init == "nvecs") return std::nullopt;
  if (resume) {
    const auto& remembered = resume->manifest.at("start_file");
    return StartFile{remembered.at("path").get<std::string>(), remembered.at("sha256").get<std::string>()};
  }
  const std::vector<std::string> words{"random", "nvecs"};
  if (const auto nearest = nearest_name(options.init, words); nearest && !std::filesystem::exists(options.init))
    throw Error(Category::usage, "--init", fmt::format("'{}' is neither random nor nvecs, nor a file", options.init),
                fmt::format("did you mean '{}'?", *nearest));
  check_model(KruskalFile(options.init), options, shape);
  return StartFile{std::filesystem::absolute(options.init).lexically_normal(), sha256_of_file(world, options.init)};
}

void set_start(CpOptions& cp, const DecomposeOptions& options, const std::optional<StartFile>& file) {
  cp.init = file ? CpInit::given : options.init == "nvecs" ? CpInit::nvecs : CpInit::random;
  if (!file) return;
  const auto start = std::make_shared<LazyStart>(*file);
  cp.given =
      std::make_shared<CpGivenStart>(CpGivenStart{[start] { return start->model().weights(); },
                                                  [start](int mode, std::span<const Index> rows, FactorMatrix& values) {
                                                    start->model().rows(mode, rows, values);
                                                  }});
}

int choose_start_groups(const DecomposeOptions& options, const DistributedTensor& tensor, double free_bytes) {
  const Communicator& world = tensor.grid().all();
  const int ranks = world.size();
  if (options.start_groups) {
    const auto asked = *options.start_groups;
    if (asked > ranks)
      throw Error(Category::usage, "--start-groups",
                  fmt::format("{} groups of {} MPI rank{}", asked, ranks, ranks == 1 ? "" : "s"),
                  "a group has at least one rank: give a smaller number, or auto");
    return static_cast<int>(asked);
  }
  const double whole = world.all_reduce_value(tensor.bytes(), Reduction::sum);
  const double room = kShareOfFreeMemory * world.all_reduce_value(free_bytes, Reduction::minimum);
  const double useful = 1 + static_cast<double>(tensor.stored_cells()) / kCellsAnotherRankPays;
  int best = 1;
  double least = 0;
  for (int groups = 1; groups <= std::min(ranks, options.restarts); ++groups) {
    const int size = ranks / groups;  // of the smallest, which all wait for
    if (groups > 1 && whole / size > room) continue;
    const int rounds = (options.restarts + groups - 1) / groups;
    const double time = rounds / std::min<double>(size, useful);
    if (groups == 1 || time <= least) {
      best = groups;
      least = time;
    }
  }
  return best;
}

}  // namespace tempera::drivers
