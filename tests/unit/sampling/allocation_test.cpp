// Counts the allocations of this thread. The replacement of operator new holds for the whole test program.
#include <gtest/gtest.h>

#include <cstdlib>
#include <new>

#include "core/sampling/explorers/explorers.hpp"
#include "core/sampling/targets/targets.hpp"
#include "tests/models/models.hpp"
#include "tests/support/data.hpp"

namespace {

thread_local long allocations = 0;

}  // namespace

void* operator new(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size > 0 ? size : 1)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}

namespace tempera {
namespace {

/// Evaluations, draws and transforms, from the second time on.
long allocations_of(Target& target) {
  std::vector<double> u(static_cast<std::size_t>(target.dimension())), reference(u.size()), likelihood(u.size());
  std::vector<double> theta(static_cast<std::size_t>(target.constrained_size()));
  RandomStream stream(1, "sampling-test-allocation");
  long before = 0;
  for (int round = 0; round < 2; ++round) {  // the first one may set up constants
    before = allocations;
    if (target.samples_reference()) target.sample_reference(stream, u);
    target.evaluate(u);
    if (target.has_gradient()) target.evaluate(u, reference, likelihood);
    target.constrain(u, theta);
  }
  return allocations - before;
}

TEST(Targets, EvaluateAndDrawWithoutAllocating) {
  for (const TargetDescription& description : describe_targets())
    EXPECT_EQ(allocations_of(*make_target(description.name)), 0) << description.name;
  const long before = allocations;
  const auto target = make_target("gaussian");
  EXPECT_GT(allocations, before) << "the counter counts";
}

TEST(Explorers, StepWithoutAllocatingAfterTheFirst) {
  std::vector<std::string> texts{"slice:random-directions", "rwm:componentwise", "nuts:dense", "slice+nuts",
                                 "slice@1+rwm@1"};
  for (const ExplorerDescription& description : describe_explorers()) texts.push_back(description.name);
  const auto target = make_target("eight-schools");
  const auto dimension = static_cast<std::size_t>(target->dimension());
  ChainTuning tuning{std::vector<double>(dimension), std::vector<double>(dimension, 0.5), {}, {}};
  for (std::size_t i = 0; i < dimension * dimension; ++i)
    tuning.covariance_factor.push_back(i % (dimension + 1) == 0 ? 0.5 : 0);
  for (const std::string& text : texts) {
    const auto explorer = make_explorer(text);
    SamplePoint point{std::vector<double>(dimension, 0.1), {}};
    PathDensity density(*target, 0.5);
    density.at(point.u, point.density);
    RandomStream stream(1, "explorer-test-allocation");
    tuning.step_sizes = explorer->first_step_sizes(density, tuning, point, stream);
    explorer->step(density, tuning, point, stream);
    if (text == "slice@1+rwm@1")  // the first call of each part
      for (int k = 0; k < 20; ++k) explorer->step(density, tuning, point, stream);
    const long before = allocations;
    for (int k = 0; k < 50; ++k) explorer->step(density, tuning, point, stream);
    EXPECT_EQ(allocations, before) << text;
  }
}

TEST(Targets, OfPosteriordbEvaluateAndDrawWithoutAllocating) {
  TEMPERA_REQUIRE_DATA(folder, "posteriordb");
  for (const std::string_view name : test::posteriordb_names()) {
    TransformedTarget target(test::make_posteriordb_model(name, folder));
    EXPECT_EQ(allocations_of(target), 0) << name;
  }
}

}  // namespace
}  // namespace tempera
