#pragma once

#include <optional>

#include "core/base/command_line.hpp"
#include "core/base/error.hpp"
#include "core/base/option_schema.hpp"

namespace tempera {

/// A command with one option of every type.
struct BakeOptions {
  std::filesystem::path input;
  std::vector<std::string> toppings;
  std::string method = "oven";
  std::int64_t loaves = 16;
  int shelves = 1;
  double tolerance = 1e-6;
  std::optional<std::int64_t> guests;
  double rest = 90;
  std::vector<std::int64_t> dims;
  std::filesystem::path output;
  bool overwrite = false;
  std::filesystem::path config;
};

struct BakeCommand {
  BakeCommand() {
    schema.example("tempera bake dough.txt --loaves 4");
    schema.positional("input", OptionKind::path, options.input).help("the dough").required();
    schema.group("Baking");
    schema.choice("method", options.method, {"oven", "pan", "steam"}).help("where it is baked");
    schema.integer("loaves", options.loaves).minimum(1).help("number of loaves");
    schema.integer("shelves", options.shelves).help("shelves of the oven");
    schema.real("tolerance", options.tolerance).minimum(0).below(1).help("change of colour that ends the baking");
    schema.integer("guests", options.guests).minimum(1).absent("auto").help("number of guests");
    schema.duration("rest", options.rest).maximum(7200).help("time to rest before the oven");
    schema.integers("dims", options.dims).minimum(1).unit("millimetres").help("sizes of the tin");
    schema.texts("topping", options.toppings).help("what goes on top");
    schema.group("Files");
    schema.path("output", options.output).metavar("RUN").default_text("runs/bake-<date>").help("folder of the results");
    schema.flag("overwrite", options.overwrite).help("replace an existing folder");
    schema.config_file("config", options.config).metavar("FILE").help("TOML file with values for these options");
  }

  CommandLineOutcome parse(const std::vector<std::string>& arguments) { return parse_command_line(schema, arguments); }

  /// The whole message of the Error that parsing throws, or "" if it does not.
  std::string refusal(const std::vector<std::string>& arguments) {
    try {
      parse(arguments);
    } catch (const Error& error) {
      return exit_status(error.category()) == 2 ? error.message() : "not a usage error: " + error.message();
    }
    return "";
  }

  BakeOptions options;
  OptionSchema schema{"bake", "turn dough into bread"};
};

}  // namespace tempera
