#include "distributed/tempering/group_target.hpp"

#include <boost/serialization/string.hpp>
#include <exception>
#include <utility>

#include "core/base/contract.hpp"
#include "core/base/error.hpp"
#include "distributed/communicator/objects.hpp"
#include "distributed/tempering/block_deal.hpp"

namespace tempera {

namespace {

/// First word of what the leader broadcasts.
enum class Request : int { value, gradient, report, stop };

/// Why the work of a rank failed.
struct Failure {
  bool failed = false;
  int category = 0;
  std::string where, what, hint;

  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& failed& category& where& what& hint;
  }
};

/// Runs the work; what it throws is turned into a Failure. LeftBecauseOfAnotherRank is no std::exception and passes.
template <class Work>
Failure attempt(Work&& work) {
  try {
    work();
    return {};
  } catch (const std::exception&) {
    const Error error = current_exception_as_error();
    return {true, static_cast<int>(error.category()), error.where(), error.what_is_wrong(), error.hint()};
  }
}

/// The group of the clones of a target. On the leader the others are released when the last of them goes.
class Link {
 public:
  explicit Link(const Communicator& group) : ranks(group) {}
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;
  ~Link() {
    try {
      stop();
    } catch (...) {
      // A rank has left the scope around: the others of the group leave by its notice, and this one goes on doing so.
    }
  }

  /// The leader has all data: nobody is asked.
  bool alone() const { return cuts[1] == cuts.back(); }

  void stop() {
    if (released || ranks.size() == 1 || !ranks.is_root()) return;
    released = true;
    request(Request::stop);
  }

  /// The leader's; the others receive it by next_request().
  void request(Request what) {
    message.front() = static_cast<double>(what);
    ranks.broadcast(std::span<double>(message), 0);
  }
  Request next_request() {
    ranks.broadcast(std::span<double>(message), 0);
    return static_cast<Request>(static_cast<int>(message.front()));
  }

  const Communicator ranks;
  bool released = true;         ///< until the target stands: nobody serves before
  std::vector<double> message;  ///< a request, then θ
  std::vector<Index> cuts;      ///< blocks [cuts[q], cuts[q + 1]) are those of rank q
};

}  // namespace

namespace detail {

class GroupModel final : public Model {
 public:
  GroupModel(std::shared_ptr<Link> link, std::unique_ptr<BlockModel> model)
      : link_(std::move(link)), model_(std::move(model)) {}
  GroupModel(const GroupModel& other)
      : Model(other), link_(other.link_), model_(dynamic_cast<BlockModel*>(other.model_->clone().release())) {}
  GroupModel& operator=(const GroupModel&) = delete;

  const BlockModel& model() const { return *model_; }
  Link& link() { return *link_; }

  std::vector<ParameterBlock> parameters() const override { return model_->parameters(); }
  double log_prior(std::span<const double> theta, std::span<double> gradient) override {
    return model_->log_prior(theta, gradient);
  }
  bool has_gradient() const override { return model_->has_gradient(); }
  bool samples_prior() const override { return model_->samples_prior(); }
  bool normalised_prior() const override { return model_->normalised_prior(); }
  std::optional<std::string> improper_parameter() const override { return model_->improper_parameter(); }
  void sample_prior(RandomStream& stream, std::span<double> theta) override { model_->sample_prior(stream, theta); }
  std::unique_ptr<Model> clone() const override { return std::make_unique<GroupModel>(*this); }

  double log_likelihood(std::span<const double> theta, std::span<double> gradient) override {
    const Communicator& ranks = link_->ranks;
    if (link_->alone()) return model_->log_likelihood(theta, gradient);
    TEMPERA_EXPECTS(ranks.is_root());
    const auto region = ranks.regions().open("density");
    if (link_->released) throw Error(Category::usage, "", "the other ranks of the group have been released");
    const bool wanted = !gradient.empty();
    std::copy(theta.begin(), theta.end(), link_->message.begin() + 1);
    link_->request(wanted ? Request::gradient : Request::value);
    lay_out_pieces(wanted);
    const Failure mine = attempt([&] { model_->compute_pieces(theta, wanted, pieces_of(0)); });
    receive_pieces();
    bool failed = mine.failed;
    for (int q = 1; q < ranks.size(); ++q)
      failed = failed || incoming_[static_cast<std::size_t>(q) - 1].data.back() != 0;
    if (failed) throw_first(mine);
    return model_->combine(theta, by_block_, gradient);
  }

  void serve() {
    if (link_->ranks.size() == 1) return;
    TEMPERA_EXPECTS(!link_->ranks.is_root());
    const auto region = link_->ranks.regions().open("density");
    Failure failure;
    for (;;) {
      const Request request = link_->next_request();
      if (request == Request::stop) return;
      if (request == Request::report) {
        link_->ranks.gather_objects(std::exchange(failure, {}), 0);
        continue;
      }
      const bool wanted = request == Request::gradient;
      const auto size =
          static_cast<std::size_t>(piece_sizes(*model_, model_->first_block(), model_->end_block(), wanted));
      numbers_.resize(size + 1);
      failure = attempt([&] {
        model_->compute_pieces(std::span<const double>(link_->message).subspan(1), wanted,
                               std::span(numbers_).first(size));
      });
      numbers_.back() = failure.failed ? 1 : 0;
      const Outgoing<double> outgoing{0, numbers_};
      link_->ranks.exchange<double>(std::span(&outgoing, 1), {});
    }
  }

 private:
  /// Where the pieces of every rank go, and a word behind them that says whether it failed.
  void lay_out_pieces(bool gradient) {
    const auto ranks = static_cast<std::size_t>(link_->ranks.size());
    std::size_t length = 0;
    starts_.clear();
    for (std::size_t q = 0; q < ranks; ++q) {
      starts_.push_back(length);
      length += static_cast<std::size_t>(piece_sizes(*model_, link_->cuts[q], link_->cuts[q + 1], gradient)) + 1;
    }
    starts_.push_back(length);
    numbers_.resize(length);
    by_block_.clear();
    incoming_.clear();
    for (std::size_t q = 0; q < ranks; ++q) {
      std::size_t at = starts_[q];
      for (Index block = link_->cuts[q]; block < link_->cuts[q + 1]; ++block) {
        const auto size = static_cast<std::size_t>(model_->piece_size(block, gradient));
        by_block_.push_back(std::span<const double>(numbers_).subspan(at, size));
        at += size;
      }
      if (q > 0)
        incoming_.push_back(
            {static_cast<int>(q), std::span(numbers_).subspan(starts_[q], starts_[q + 1] - starts_[q])});
    }
  }

  std::span<double> pieces_of(std::size_t rank) {
    return std::span(numbers_).subspan(starts_[rank], starts_[rank + 1] - starts_[rank] - 1);
  }

  void receive_pieces() { link_->ranks.exchange<double>({}, incoming_); }

  [[noreturn]] void throw_first(const Failure& mine) {
    link_->request(Request::report);
    for (const Failure& failure : link_->ranks.gather_objects(mine, 0))
      if (failure.failed)
        throw Error(static_cast<Category>(failure.category), failure.where, failure.what, failure.hint);
    throw Error(Category::environment, "", "a rank of the group failed without saying why");
  }

  std::shared_ptr<Link> link_;
  std::unique_ptr<BlockModel> model_;
  std::vector<double> numbers_;  ///< pieces of all ranks on the leader, else of this one
  std::vector<std::size_t> starts_;
  std::vector<std::span<const double>> by_block_;
  std::vector<Incoming<double>> incoming_;
};

namespace {

std::unique_ptr<GroupModel> group_model(const Communicator& group, std::unique_ptr<BlockModel> model) {
  auto link = std::make_shared<Link>(group);
  const Index range[] = {model->first_block(), model->end_block()};
  const auto ranges = group.all_gather(std::span<const Index>(range));
  link->cuts = {0};
  for (std::size_t q = 0; q < ranges.size(); q += 2) {
    if (ranges[q] != link->cuts.back())
      throw Error(Category::usage, "", "the ranks of a group have to hold consecutive blocks");
    link->cuts.push_back(ranges[q + 1]);
  }
  if (link->cuts.back() != model->blocks())
    throw Error(Category::usage, "", "the ranks of a group have to hold all blocks");
  link->message.resize(1 + static_cast<std::size_t>(ParameterLayout(model->parameters()).constrained_size()));
  auto result = std::make_unique<GroupModel>(link, std::move(model));
  link->released = false;
  return result;
}

}  // namespace

}  // namespace detail

GroupTarget::GroupTarget(const Communicator& group, std::unique_ptr<BlockModel> model)
    : GroupTarget(detail::group_model(group, std::move(model))) {}

GroupTarget::GroupTarget(std::unique_ptr<detail::GroupModel> model)
    : Target(model->parameters()),
      model_(model.get()),
      target_(std::make_unique<TransformedTarget>(std::move(model))) {}

GroupTarget::~GroupTarget() = default;

void GroupTarget::serve() {
  model_->serve();
}

void GroupTarget::release() {
  model_->link().stop();
}

LogDensity GroupTarget::evaluate(std::span<const double> u, std::span<double> reference_gradient,
                                 std::span<double> likelihood_gradient) {
  return target_->evaluate(u, reference_gradient, likelihood_gradient);
}

bool GroupTarget::has_gradient() const {
  return target_->has_gradient();
}

bool GroupTarget::samples_reference() const {
  return target_->samples_reference();
}

bool GroupTarget::normalised_reference() const {
  return target_->normalised_reference();
}

std::optional<std::string> GroupTarget::improper_parameter() const {
  return target_->improper_parameter();
}

void GroupTarget::sample_reference(RandomStream& stream, std::span<double> u) {
  target_->sample_reference(stream, u);
}

void GroupTarget::constrain(std::span<const double> u, std::span<double> theta) const {
  Target::constrain(u, theta);
  model_->model().choose_representative(theta);
}

std::unique_ptr<Target> GroupTarget::clone() const {
  return std::unique_ptr<Target>(new GroupTarget(std::make_unique<detail::GroupModel>(*model_)));
}

const BlockModel& GroupTarget::model() const {
  return model_->model();
}

RankGroups split_into_groups(const Communicator& ranks, int ranks_a_group) {
  TEMPERA_EXPECTS(ranks_a_group >= 1);
  const int groups = std::max(1, ranks.size() / ranks_a_group);
  const BlockDeal deal{ranks.size(), groups};
  const Communicator group = ranks.split(deal.owner(ranks.rank()), ranks.rank());
  return {group, ranks.split(group.is_root() ? 0 : -1, ranks.rank()), groups};
}

}  // namespace tempera
