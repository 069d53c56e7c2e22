#pragma once

#include <boost/serialization/string.hpp>
#include <boost/serialization/vector.hpp>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "drivers/master/links.hpp"
#include "drivers/master/option_message.hpp"

namespace tempera::drivers {

/// What a group of ranks is told to do: which run of the study, with which options. All else the ranks know from the study.
struct StageOrder {
  /// The result of a run that has ended well.
  struct Known {
    std::uint64_t instance = 0;
    std::string folder;
    std::string values;  ///< JSON

    template <class Archive>
    void serialize(Archive& archive, unsigned) {
      archive& instance& folder& values;
    }
  };
  std::uint64_t instance = 0;
  std::vector<OptionEntry> options;  ///< references filled in
  std::vector<Known> known;          ///< where its trials are runs of a stage: of what that one's options may refer to

  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& instance& options& known;
  }
};

/// The order for an instance that is ready. @throws Error{input} as resolve()
StageOrder order_for(const StudyGraph& graph, std::size_t instance, const Results& results);

/// The results that came with an order. A copy may outlive the order.
class KnownResults {
 public:
  explicit KnownResults(const StageOrder& order);
  /// For resolve_trial(). @return valid as long as this lives
  Results lookup() const;

 private:
  std::vector<std::pair<std::size_t, InstanceResult>> results_;
};

}  // namespace tempera::drivers
