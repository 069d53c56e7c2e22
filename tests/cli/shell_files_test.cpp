// What the build makes for shells, in build/share: completion as a shell runs it, man pages as they are formatted.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <set>

#include "core/base/text.hpp"
#include "drivers/guide/guide.hpp"
#include "drivers/shell/command_pages.hpp"
#include "drivers/shell/man_text.hpp"
#include "drivers/shell/zsh_completion.hpp"
#include "tests/support/data.hpp"
#include "tests/support/process.hpp"

namespace tempera::drivers {
namespace {

namespace fs = std::filesystem;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const fs::path kShare = TEMPERA_BINARY_DIR "/share";
const fs::path kBash = kShare / "bash-completion/completions/tempera";
const fs::path kZsh = kShare / "zsh/site-functions/_tempera";

bool is_there(const std::string& program) {
  return test::run_process({"sh", "-c", "command -v " + program}).status == 0;
}

/// What bash proposes at the end of these words, which are as readline splits them; then "-o NAME" for what it is to do
/// if there are none.
std::vector<std::string> proposals(const std::vector<std::string>& words, const std::string& function = "_tempera") {
  // A function of the shell stands for the builtin, which works within a real completion alone.
  std::vector<std::string> command{"bash",
                                   "--norc",
                                   "-c",
                                   "compopt() { asked=\"$*\"; }; asked=''; . \"$1\"; function=$2; shift 2\n"
                                   "COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); $function\n"
                                   "for word in \"${COMPREPLY[@]}\" ${asked:+\"$asked\"}; do echo \"$word\"; done",
                                   "bash",
                                   kBash.string(),
                                   function};
  command.insert(command.end(), words.begin(), words.end());
  const auto result = test::run_process(command);
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(result.err, "");
  std::vector<std::string> lines;
  for (const std::string_view line : split(result.out, '\n'))
    if (!line.empty()) lines.emplace_back(line);
  return lines;
}

TEST(BashCompletion, ProposesCommandsAndTheProgramsOwnOptions) {
  std::vector<std::string> names;
  for (const CommandPage& page : command_pages()) names.push_back(page.name);
  EXPECT_EQ(proposals({"tempera", ""}), names);
  EXPECT_THAT(proposals({"tempera", "dec"}), ElementsAre("decompose"));
  EXPECT_THAT(proposals({"tempera", "--"}), ElementsAre("--help", "--version"));
  EXPECT_THAT(proposals({"tempera", "--help", ""}), IsEmpty());
}

TEST(BashCompletion, ProposesEveryOptionOfEveryCommandUntilItIsGiven) {
  for (const CommandPage& page : command_pages()) {
    std::vector<std::string> expected{"--help"};
    for (const Option* option : options_of(page)) expected.push_back("--" + option->name());
    EXPECT_EQ(proposals({"tempera", page.name, "--"}), expected);
  }
  EXPECT_THAT(proposals({"tempera", "decompose", "--rank", "3", "--ra"}), IsEmpty());
  EXPECT_THAT(proposals({"tempera", "decompose", "--rank", "=", "3", "--ra"}), IsEmpty());
  EXPECT_THAT(proposals({"tempera", "decompose", "--constraint", "norm", "--cons"}), ElementsAre("--constraint"))
      << "may be repeated";
}

TEST(BashCompletion, ProposesEveryWordThatAValueMayBe) {
  for (const CommandPage& page : command_pages())
    for (const Option* option : options_of(page))
      for (const std::string& word : option->known_words()) {
        if (word.find(':') != std::string::npos) continue;  // readline splits there: the test below
        EXPECT_THAT(proposals({"tempera", page.name, "--" + option->name(), word}), Contains(word));
      }
  EXPECT_THAT(proposals({"tempera", "decompose", "--loss", ""}), ElementsAre("gaussian", "poisson"));
  EXPECT_THAT(proposals({"tempera", "decompose", "--loss", "=", "po"}), ElementsAre("poisson"));
  EXPECT_THAT(proposals({"tempera", "decompose", "--loss", "="}), ElementsAre("gaussian", "poisson"));
  EXPECT_THAT(proposals({"tempera", "sample", "--target", "eig"}), ElementsAre("eight-schools"));
  EXPECT_THAT(proposals({"tempera", "optimize", "--objective", "bra"}), ElementsAre("branin"));
  EXPECT_THAT(proposals({"tempera", "help", "dura"}), ElementsAre("durability"));
  EXPECT_THAT(proposals({"tempera", "decompose", "--rank", ""}), IsEmpty());
}

TEST(BashCompletion, AnswersOnlyWhatStandsBehindAColonAsReadlineReplacesThat) {
  EXPECT_THAT(proposals({"tempera", "decompose", "--constraint", "l1"}), ElementsAre("l1:0.1"));
  EXPECT_THAT(proposals({"tempera", "decompose", "--constraint", "l1", ":"}), ElementsAre("0.1"));
  EXPECT_THAT(proposals({"tempera", "decompose", "--constraint", "l1", ":", "0"}), ElementsAre("0.1"));
}

TEST(BashCompletion, LeavesNamesOfFilesAndFoldersToReadline) {
  EXPECT_THAT(proposals({"tempera", "decompose", ""}), ElementsAre("-o default"));
  EXPECT_THAT(proposals({"tempera", "decompose", "--rank", "3", "x"}), ElementsAre("-o default"));
  EXPECT_THAT(proposals({"tempera", "decompose", "--init", "fac"}), ElementsAre("-o default"));
  EXPECT_THAT(proposals({"tempera", "decompose", "--init", "nv"}), ElementsAre("nvecs"));
  EXPECT_THAT(proposals({"tempera", "decompose", "--output", "ru"}), ElementsAre("-o dirnames"));
  EXPECT_THAT(proposals({"tempera", "status", ""}), ElementsAre("-o dirnames"));
  EXPECT_THAT(proposals({"tempera", "status", "--", "--x"}), ElementsAre("-o dirnames"));
  EXPECT_THAT(proposals({"tempera", "status", "run", ""}), IsEmpty()) << "there is no second argument";
  EXPECT_THAT(proposals({"tempera", "convert", "a.tns", ""}), ElementsAre("-o default")) << "of a list there is";
}

TEST(BashCompletion, WorksBehindALauncherForThoseWhoAskForIt) {
  EXPECT_THAT(proposals({"mpirun", "-n", "4", "build/tempera", "opt"}, "_tempera_launched"), ElementsAre("optimize"));
  EXPECT_THAT(proposals({"mpirun", "-n", ""}, "_tempera_launched"), IsEmpty());
}

TEST(ZshCompletion, ParsesAndHasEveryOptionAndWord) {
  const std::string text = test::read_text(kZsh);
  EXPECT_EQ(text, zsh_completion(command_pages()));
  for (const CommandPage& page : command_pages()) {
    const std::size_t begin = text.find("\n        " + page.name + ")\n");
    ASSERT_NE(begin, std::string::npos) << page.name;
    const std::string part = text.substr(begin, text.find(";;", begin) - begin);
    for (const Option* option : options_of(page)) {
      EXPECT_THAT(part, HasSubstr("--" + option->name() + (option->kind() == OptionKind::flag ? "[" : "=[")));
      for (const std::string& word : option->known_words()) {
        if (word.find(':') != std::string::npos) continue;  // written with an escape
        EXPECT_THAT(part, HasSubstr(word));
      }
    }
  }
  if (!is_there("zsh")) GTEST_SKIP() << "zsh is not installed: the script is not parsed";
  const auto parsed = test::run_process({"zsh", "-f", "-n", kZsh.string()});
  EXPECT_EQ(parsed.status, 0) << parsed.err;
  EXPECT_EQ(parsed.err, "");
}

std::map<std::string, std::string> man_pages() {
  std::map<std::string, std::string> pages;
  for (const char* section : {"man1", "man7"})
    for (const auto& file : fs::directory_iterator(kShare / "man" / section))
      pages[file.path().filename().string()] = test::read_text(file.path());
  return pages;
}

TEST(ManPages, AreThereForTheProgramEachCommandAndEachTopicAndNothingElse) {
  std::set<std::string> expected{"tempera.1"};
  for (const CommandPage& page : command_pages()) expected.insert("tempera-" + page.name + ".1");
  for (const GuidePage& page : guide_pages()) expected.insert("tempera-" + std::string(page.name) + ".7");
  std::set<std::string> found;
  for (const auto& [name, text] : man_pages()) found.insert(name);
  EXPECT_EQ(found, expected);
}

TEST(ManPages, ExplainEveryOptionAndName) {
  auto pages = man_pages();
  for (const CommandPage& page : command_pages()) {
    const std::string& text = pages["tempera-" + page.name + ".1"];
    for (const Option* option : options_of(page)) {
      EXPECT_THAT(text, HasSubstr("\n\\fB" + man_text("--" + option->name()) + "\\fR"));
      EXPECT_THAT(text, HasSubstr(man_inline(option->help())));
    }
    for (const Option* argument : arguments_of(page)) EXPECT_THAT(text, HasSubstr(man_text(argument->metavar())));
    EXPECT_THAT(pages["tempera.1"], HasSubstr(man_text("tempera-" + page.name) + "\\fR(1)"));
  }
  for (const GuidePage& page : guide_pages())
    EXPECT_THAT(pages["tempera.1"], HasSubstr(man_text("tempera-" + std::string(page.name)) + "\\fR(7)"));
}

TEST(ManPages, AreFormattedWithoutAWarning) {
  if (!is_there("groff")) GTEST_SKIP() << "groff is not installed: the pages are not formatted";
  std::vector<std::string> command{"groff", "-ww", "-z", "-man", "-Tutf8"};
  for (const auto& [name, text] : man_pages())
    command.push_back((kShare / "man" / ("man" + name.substr(name.size() - 1)) / name).string());
  const auto result = test::run_process(command);
  EXPECT_EQ(result.status, 0);
  EXPECT_EQ(result.err, "");
}

TEST(ManPages, KeepWhatTheGuideSays) {
  EXPECT_EQ(man_text("a-b 'c' \\ é"), "a\\-b \\(aqc\\(aq \\e \\[u00E9]");
  EXPECT_EQ(man_inline("see `tempera help ranks`."), "see \\fBtempera help ranks\\fR.");
  EXPECT_EQ(man_body("# Title\n\nSome words\ngo on.\n\n    .x = 1\n\n    y\n\n* one\n  two\n\n## Next\n\nend\n"),
            "Some words go on.\n.PP\n.RS 4\n.nf\n\\&.x = 1\n\ny\n.fi\n.RE\n.IP \\(bu 2\none two\n.SH Next\nend\n");
}

TEST(ShellFiles, AreTheSameBytesEachTimeAndHaveNoDate) {
  const test::TemporaryFolder temporary;
  const fs::path folder = temporary.path();
  const auto result = test::run_process({TEMPERA_SHELL_FILES_WRITER, folder.string()});
  ASSERT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(test::run_process({"diff", "-r", folder.string() + "/share/man", kShare.string() + "/man"}).out, "");
  EXPECT_EQ(test::read_text(folder / "share/bash-completion/completions/tempera"), test::read_text(kBash));
  for (const auto& [name, text] : man_pages()) EXPECT_THAT(text, HasSubstr(" \"\" \"tempera ")) << name;
}

}  // namespace
}  // namespace tempera::drivers
