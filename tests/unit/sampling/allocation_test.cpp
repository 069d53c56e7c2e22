// Counts the allocations of this thread. The replacement of operator new holds for the whole test program.
#include <gtest/gtest.h>

#include <cstdlib>
#include <new>

#include "core/sampling/targets/targets.hpp"

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

TEST(Targets, EvaluateAndDrawWithoutAllocating) {
  for (const TargetDescription& description : describe_targets()) {
    const auto target = make_target(description.name);
    std::vector<double> u(static_cast<std::size_t>(target->dimension())), reference(u.size()), likelihood(u.size());
    std::vector<double> theta(static_cast<std::size_t>(target->constrained_size()));
    RandomStream stream(1, "sampling-test-allocation");
    target->sample_reference(stream, u);  // the first call may set up constants
    target->evaluate(u);
    const long before = allocations;
    target->sample_reference(stream, u);
    target->evaluate(u);
    if (target->has_gradient()) target->evaluate(u, reference, likelihood);
    target->constrain(u, theta);
    EXPECT_EQ(allocations, before) << description.name;
  }
  const long before = allocations;
  const auto target = make_target("gaussian");
  EXPECT_GT(allocations, before) << "the counter counts";
}

}  // namespace
}  // namespace tempera
