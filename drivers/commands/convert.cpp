#include "drivers/commands/convert.hpp"

#include <fmt/format.h>

#include <optional>
#include <vector>

#include "core/base/command_line.hpp"
#include "core/base/error.hpp"
#include "core/base/option_help.hpp"
#include "core/base/text.hpp"
#include "core/io/convert.hpp"
#include "core/io/labels.hpp"
#include "drivers/standard_streams.hpp"

namespace tempera::drivers {

namespace {

struct ConvertCommand {
  std::vector<std::string> files;
  std::optional<int> ngrams;
  bool dense = false;
  bool sparse = false;
  std::optional<std::vector<std::int64_t>> dims;
  ConvertOptions options;
};

void declare(OptionSchema& schema, ConvertCommand& command) {
  schema.positional("files", OptionKind::texts, command.files)
      .names(PathKind::file)
      .help(
          "the input, then the output (.tns .tns.gz .npy .h5 .hdf5, or FILE.h5:/PATH); with --ngrams one text or more, "
          "then the output")
      .required();
  schema.group("Input");
  schema.integer("ngrams", command.ngrams)
      .minimum(kMinimumOrder)
      .maximum(kMaximumOrder)
      .absent("none")
      .help("count sequences of that many letters (a to z and the space) in text files");
  schema.integer("index-base", command.options.index_base)
      .minimum(0)
      .help("what a text input calls the first index of a mode");
  schema.integers("dims", command.dims)
      .minimum(1)
      .absent("none")
      .help("sizes of a sparse input, one a mode; they may enlarge it");
  schema.group("Output");
  schema.flag("dense", command.dense).help("write every cell");
  schema.flag("sparse", command.sparse)
      .help("write coordinates (of a dense input: of all cells, unless some are dropped)");
  schema.flag("drop-zeros", command.options.drop_zeros).help("leave zeros out of a sparse output");
  schema.flag("drop-missing", command.options.drop_missing)
      .help("leave NaN cells of a dense input out of a sparse output");
  schema.integer("output-index-base", command.options.output_index_base)
      .minimum(0)
      .help("what a text output calls the first index of a mode");
  schema.flag("overwrite", command.options.overwrite).help("replace an output that exists");
  schema.example("tempera convert counts.npy counts.tns --drop-zeros");
}

std::string counted(Index count, const char* one, const char* many) {
  return fmt::format("{} {}", human_count(count), count == 1 ? one : many);
}

std::string summary_text(const std::string& output, const ConvertSummary& summary,
                         const std::filesystem::path& labels) {
  std::string text = fmt::format(
      "{}: {} tensor of shape {}, {}\n", output, summary.dense ? "dense" : "sparse", fmt::join(summary.shape, " x "),
      summary.dense ? counted(summary.entries, "cell", "cells") : counted(summary.entries, "entry", "entries"));
  if (summary.merged > 0)
    text += fmt::format("duplicate coordinates: {} summed into others\n",
                        counted(summary.merged, "entry was", "entries were"));
  if (summary.zeros_dropped > 0) text += fmt::format("left out: {}\n", counted(summary.zeros_dropped, "zero", "zeros"));
  if (summary.missing_dropped > 0)
    text += fmt::format("left out: {}\n", counted(summary.missing_dropped, "missing cell", "missing cells"));
  if (summary.labels_written) text += fmt::format("{}: labels of the indices\n", labels.string());
  return text;
}

}  // namespace

int run_convert(std::span<const std::string> arguments, const Launch& launch) {
  ConvertCommand command;
  OptionSchema schema("convert", std::string(kConvertSummary));
  declare(schema, command);
  if (parse_command_line(schema, arguments) == CommandLineOutcome::help) {
    if (launch.is_first()) print_result(help_text(schema));
    return 0;
  }
  auto& options = command.options;
  if (command.dense && command.sparse)
    throw Error(Category::usage, "--dense", "contradicts --sparse", "pass one of them");
  if (command.dense) options.layout = ConvertOptions::Layout::dense;
  if (command.sparse) options.layout = ConvertOptions::Layout::sparse;
  if (command.dims) options.dims = *command.dims;
  if (command.files.size() < 2)
    throw Error(Category::usage, "convert", "the output is missing",
                "give the input, then the output: tempera convert IN OUT");
  const std::string output_name = command.files.back();
  const TensorFile output = TensorFile::parse(output_name);
  command.files.pop_back();
  if (!launch.is_first()) return 0;  // of several processes one does the work
  ConvertSummary summary;
  if (command.ngrams) {
    if (command.dims) throw Error(Category::usage, "--dims", "does not apply to --ngrams", "the modes have size 27");
    summary = convert_ngrams(std::vector<std::filesystem::path>(command.files.begin(), command.files.end()),
                             *command.ngrams, output, options);
  } else {
    if (command.files.size() > 1)
      throw Error(Category::usage, "convert", fmt::format("{} inputs are given, one is expected", command.files.size()),
                  "several texts need --ngrams; tensors are converted one by one");
    summary = convert_tensor(TensorFile::parse(command.files.front()), output, options);
  }
  print_result(summary_text(output_name, summary, labels_path(output.path)));
  return 0;
}

std::vector<CommandSchema> convert_schemas() {
  return {command_schema<ConvertCommand>("convert", kConvertSummary, declare)};
}

}  // namespace tempera::drivers
