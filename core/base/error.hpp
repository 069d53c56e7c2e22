#pragma once

#include <stdexcept>
#include <string>

namespace tempera {

/// What kind of thing went wrong; decides the exit status of the command (see exit_status).
enum class Category {
  usage,        ///< command line or study file: exit status 2
  input,        ///< input data: 3
  shape,        ///< sizes that do not fit each other: 3
  numerical,    ///< the computation failed: 4
  environment,  ///< disk, memory, MPI, permissions, busy folder: 5
  interrupted   ///< stopped on request after saving: 130
};

/// Exit status of the process for an error of this category.
int exit_status(Category category);

/// The one error type that people see.
///
/// `where` is FILE:LINE, a file, an option or a function name (may be empty); `what_is_wrong` is one sentence without
/// a final full stop; `hint` says the mend (may be empty).
class Error : public std::runtime_error {
 public:
  Error(Category category, std::string where, std::string what_is_wrong, std::string hint = {});

  Category category() const { return category_; }
  const std::string& where() const { return where_; }
  const std::string& what_is_wrong() const { return what_is_wrong_; }
  const std::string& hint() const { return hint_; }

  /// The message as printed: "tempera: error: WHERE: WHAT" and, if there is a hint, a second line "hint: HINT".
  std::string message() const;

 private:
  Category category_;
  std::string where_;
  std::string what_is_wrong_;
  std::string hint_;
};

/// Turns any exception into an Error: bad_alloc becomes `environment` with advice, unknown ones keep their text.
/// @pre called from inside a catch block
Error current_exception_as_error();

}  // namespace tempera
