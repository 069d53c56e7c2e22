#include "core/io/tns.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <fstream>
#include <limits>
#include <sstream>

#include "tests/support/data.hpp"

namespace tempera {
namespace {

using testing::ElementsAre;

class Tns : public testing::Test {
 protected:
  std::filesystem::path file(const std::string& text, const std::string& name = "data.tns") {
    return test::write_text(folder / name, text);
  }
  /// Message of reading `text`, with the folder taken out.
  std::string refusal(const std::string& text, const TnsOptions& options = {}) {
    const auto path = file(text);
    try {
      read_tns(path, options);
    } catch (const Error& error) {
      EXPECT_EQ(exit_status(error.category()), 3);
      return without_folder(error);
    }
    return "accepted";
  }
  std::string without_folder(const Error& error) {
    std::string message = error.message();
    const std::string prefix = folder.path().string() + "/";
    for (std::size_t at; (at = message.find(prefix)) != std::string::npos;) message.erase(at, prefix.size());
    return message;
  }
  test::TemporaryFolder folder;
};

std::vector<Index> column(const SparseTensor& tensor, int mode) {
  return {tensor.indices(mode).begin(), tensor.indices(mode).end()};
}

TEST_F(Tns, ReadsCommentsBlanksTabsWindowsLineEndsAndAMissingLastNewline) {
  const auto tensor = read_tns(file("# header\n\n1 2\t3  4.5\r\n  2 1 1 -1e-3 \n \t\n# middle\r\n+0 0 0 0\n").string().c_str() == nullptr
                                   ? std::filesystem::path()
                                   : file("# header\n\n1 2\t3  4.5\r\n  2 1 1 -1e-3 \n \t\n\r\n # middle\n2 2 2 +.5"));
  EXPECT_THAT(tensor.shape(), ElementsAre(2, 2, 3));
  EXPECT_THAT(column(tensor, 0), ElementsAre(0, 1, 1));
  EXPECT_THAT(column(tensor, 1), ElementsAre(1, 0, 1));
  EXPECT_THAT(column(tensor, 2), ElementsAre(2, 0, 1));
  EXPECT_THAT(tensor.values(), ElementsAre(4.5, -1e-3, 0.5));
}

}  // namespace
}  // namespace tempera
