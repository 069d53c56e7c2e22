#include <gtest/gtest.h>

#include <boost/serialization/map.hpp>
#include <boost/serialization/optional.hpp>
#include <boost/serialization/set.hpp>
#include <boost/serialization/string.hpp>
#include <boost/serialization/unique_ptr.hpp>
#include <boost/serialization/utility.hpp>
#include <boost/serialization/variant.hpp>
#include <boost/serialization/vector.hpp>
#include <memory>
#include <set>

#include "distributed/checkpoint/checkpoint_store.hpp"
#include "tests/support/mpi.hpp"
#include "tests/support/shared_folder.hpp"

// The state of an engine that this library knows nothing of.
namespace tempera {
namespace foreign {

using Setting = boost::variant<std::int64_t, double, std::string, std::vector<bool>>;

struct Node {
  std::string name;
  std::unique_ptr<Node> next;
  bool operator==(const Node& other) const {
    return name == other.name && (next == nullptr) == (other.next == nullptr) &&
           (next == nullptr || *next == *other.next);
  }
  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& name& next;
  }
};

struct Trial {
  std::pair<int, double> result;
  boost::optional<std::string> failure;
  std::map<std::string, Setting> settings;
  bool operator==(const Trial&) const = default;
  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& result& failure& settings;
  }
};

struct Engine {
  std::vector<std::map<std::string, Trial>> rounds;
  std::set<std::pair<Index, Index>> seen;
  std::vector<std::vector<std::vector<double>>> table;
  Node chain;
  bool operator==(const Engine&) const = default;
  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& rounds& seen& table& chain;
  }
};

Engine sample() {
  Engine engine;
  Trial good{
      {1, 0.1}, boost::none, {{"lr", 1e-3}, {"layers", std::int64_t{1} << 60}, {"name", std::string("a\0b", 3)}}};
  Trial bad{{-1, -0.0}, std::string("it failed: ü"), {{"mask", std::vector<bool>{true, false, true}}}};
  engine.rounds = {{{"first", good}, {"second", bad}}, {}, {{"third", Trial{}}}};
  engine.seen = {{1, 2}, {-5, Index{1} << 50}};
  engine.table = {{{1.5}, {}}, {}, {{}, {2, 3}}};
  engine.chain.name = "one";
  engine.chain.next = std::make_unique<Node>();
  engine.chain.next->name = "two";
  return engine;
}

// One struct as three releases of a program know it.
struct Sampler1 {
  double step = 0;
  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& step;
  }
};
struct Sampler2 {
  double step = 0;
  std::vector<int> counts{7};  ///< what an older file lacks
  template <class Archive>
  void serialize(Archive& archive, unsigned version) {
    archive& step;
    if (version >= 2) archive& counts;
  }
};
struct Sampler3 {
  double step = 0;
  std::vector<int> counts;
  std::string note;
  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& step& counts& note;
  }
};

/// Holds a sampler, and has no version of its own.
template <class Sampler>
struct Ladder {
  std::vector<Sampler> replicas;
  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& replicas;
  }
};

}  // namespace foreign
}  // namespace tempera

BOOST_CLASS_VERSION(tempera::foreign::Sampler1, 1)
BOOST_CLASS_VERSION(tempera::foreign::Sampler2, 2)
BOOST_CLASS_VERSION(tempera::foreign::Sampler3, 3)

namespace tempera {
namespace {

using namespace foreign;

class ForeignState {
 public:
  explicit ForeignState(const Communicator& world) : world_(world), folder_(world), store_(folder_.path(), {}) {}

  template <class T>
  void write(const T& value) {
    store_.write(world_, {}, [&](CheckpointWriter& writer) { writer.object("engine", value); });
  }
  CheckpointReader open() {
    CheckpointStore store(folder_.path(), {});
    return *store.open_newest(world_, [](const std::string& text) { ADD_FAILURE() << text; });
  }
  /// The message of refusing to read a T.
  template <class T>
  std::string refusal(Category category = Category::environment) {
    const CheckpointReader reader = open();
    try {
      T value;
      reader.object("engine", value);
    } catch (const Error& error) {
      EXPECT_EQ(error.category(), category);
      EXPECT_EQ(error.where(), (folder_.path() / "generation-000001").string());
      return error.what_is_wrong() + "\nhint: " + error.hint();
    }
    return "no refusal";
  }

 private:
  const Communicator& world_;
  test::SharedFolder folder_;
  CheckpointStore store_;
};

TEST(ForeignState, NestedContainersComeBackAsTheyWere) {
  test::on_all_ranks([](const Communicator& world) {
    ForeignState state(world);
    // Only what rank 0 hands over counts.
    state.write(world.is_root() ? sample() : Engine());
    Engine restored;
    restored.table = {{{99}}};
    state.open().object("engine", restored);
    EXPECT_TRUE(restored == sample());
  });
}

TEST(ForeignState, AnOlderVersionIsReadByNewerCode) {
  test::on_all_ranks([](const Communicator& world) {
    ForeignState state(world);
    state.write(Sampler1{0.25});
    Sampler2 restored;
    state.open().object("engine", restored);
    EXPECT_EQ(restored.step, 0.25);
    EXPECT_EQ(restored.counts, std::vector<int>{7});
  });
  test::on_all_ranks([](const Communicator& world) {
    ForeignState state(world);
    state.write(Ladder<Sampler1>{{{0.25}, {0.5}}});
    Ladder<Sampler2> restored;
    state.open().object("engine", restored);
    ASSERT_EQ(restored.replicas.size(), 2u);
    EXPECT_EQ(restored.replicas[1].step, 0.5);
    EXPECT_EQ(restored.replicas[1].counts, std::vector<int>{7});
  });
}

TEST(ForeignState, ANewerVersionIsRefusedWithBothVersionsAndTheMend) {
  test::on_all_ranks([](const Communicator& world) {
    ForeignState state(world);
    state.write(Sampler3{1, {2}, "new"});
    EXPECT_EQ(state.refusal<Sampler2>(),
              "part 'engine' of the checkpoint was written by a newer tempera: version 3, this program knows up to "
              "version 2\nhint: resume with the version of tempera that wrote it");
  });
}

TEST(ForeignState, ANewerVersionDeepInsideIsRefused) {
  test::on_all_ranks([](const Communicator& world) {
    ForeignState state(world);
    state.write(Ladder<Sampler3>{{{1, {2}, "new"}}});
    EXPECT_EQ(
        state.refusal<Ladder<Sampler2>>(),
        "part 'engine' of the checkpoint was written by a newer tempera: version 3 of tempera::foreign::Sampler2, "
        "this program knows up to version 2\nhint: resume with the version of tempera that wrote it");
  });
}

TEST(ForeignState, ANewerVersionBehindAPointerIsRefused) {
  test::on_all_ranks([](const Communicator& world) {
    ForeignState state(world);
    std::vector<std::unique_ptr<Sampler3>> sampler;
    sampler.push_back(std::make_unique<Sampler3>());
    state.write(sampler);
    EXPECT_EQ(
        state.refusal<std::vector<std::unique_ptr<Sampler2>>>(),
        "part 'engine' of the checkpoint was written by a newer tempera: version 3 of tempera::foreign::Sampler2, "
        "this program knows up to version 2\nhint: resume with the version of tempera that wrote it");
  });
}

TEST(ForeignState, APartThatIsLongerThanItsTypeIsRefused) {
  test::on_all_ranks([](const Communicator& world) {
    ForeignState state(world);
    state.write(std::pair<int, double>{1, 2.0});
    EXPECT_EQ((state.refusal<std::pair<int, char>>(Category::input)),
              "part 'engine' of the checkpoint cannot be read: it is longer than expected\n"
              "hint: it was written by another engine or version");
  });
}

TEST(ForeignState, AnotherEnginesStateIsRefused) {
  test::on_all_ranks([](const Communicator& world) {
    ForeignState state(world);
    state.write(std::string("a"));
    const std::string message = state.refusal<Engine>(Category::input);
    EXPECT_TRUE(message.starts_with("part 'engine' of the checkpoint cannot be read: ")) << message;
    const CheckpointReader reader = state.open();
    const auto refused = [&](auto&& action) -> std::string {
      try {
        action();
      } catch (const Error& error) {
        EXPECT_EQ(error.category(), Category::input);
        return error.what_is_wrong();
      }
      return "no refusal";
    };
    int value = 0;
    EXPECT_EQ(refused([&] { reader.object("sampler", value); }), "the checkpoint has no part 'sampler'");
    EXPECT_EQ(refused([&] { reader.array("/x"); }), "the checkpoint has no matrix '/x'");
    EXPECT_EQ(reader.segment("draws"), nullptr);
  });
}

TEST(ForeignState, AMatrixOfAnotherTypeOrWidthIsRefused) {
  test::on_all_ranks([](const Communicator& world) {
    const test::SharedFolder folder(world);
    CheckpointStore store(folder.path(), {});
    store.write(world, {}, [](CheckpointWriter& writer) {
      writer.rows<double>("/x", 4, 3, std::span<const Index>(), nullptr, 3);
    });
    const auto reader = store.open_newest(world, [](const std::string& text) { ADD_FAILURE() << text; });
    ASSERT_TRUE(reader);
    const std::vector<Index> wanted{0};
    std::vector<double> reals(4, 1.0);
    std::vector<std::int64_t> whole(4, 1);
    EXPECT_THROW(reader->rows("/x", 4, std::span<const Index>(wanted), reals.data(), 4), Error);
    EXPECT_THROW(reader->rows("/x", 3, std::span<const Index>(wanted), whole.data(), 3), Error);
    reader->rows("/x", 3, std::span<const Index>(wanted), reals.data(), 3);
    EXPECT_EQ(reals, (std::vector<double>{0, 0, 0, 1})) << "rows of nobody are zero";
  });
}

}  // namespace
}  // namespace tempera
