#include "core/base/error.hpp"

#include <fmt/format.h>

#include <exception>
#include <new>

#include "core/base/contract.hpp"

namespace tempera {

ContractViolation::ContractViolation(const char* condition, const char* file, int line)
    : std::logic_error(fmt::format("{}:{}: broken contract: {}", file, line, condition)) {}

int exit_status(Category category) {
  switch (category) {
    case Category::usage: return 2;
    case Category::input:
    case Category::shape: return 3;
    case Category::numerical: return 4;
    case Category::environment: return 5;
    case Category::interrupted: return 130;
  }
  return 4;
}

namespace {
std::string one_line(const std::string& where, const std::string& what) {
  return where.empty() ? what : where + ": " + what;
}
}  // namespace

Error::Error(Category category, std::string where, std::string what_is_wrong, std::string hint)
    : std::runtime_error(one_line(where, what_is_wrong)),
      category_(category),
      where_(std::move(where)),
      what_is_wrong_(std::move(what_is_wrong)),
      hint_(std::move(hint)) {}

std::string Error::message() const {
  std::string text = "tempera: error: " + one_line(where_, what_is_wrong_);
  if (!hint_.empty()) text += "\nhint: " + hint_;
  return text;
}

Error current_exception_as_error() {
  try {
    throw;
  } catch (const Error& error) {
    return error;
  } catch (const std::bad_alloc&) {
    return Error(Category::environment, "", "out of memory", "use more MPI ranks or nodes, or a smaller --rank");
  } catch (const std::exception& error) {
    return Error(Category::numerical, "", std::string("internal error: ") + error.what(),
                 "this is a defect of tempera; please report it with the command line");
  } catch (...) {
    return Error(Category::numerical, "", "internal error: unknown exception",
                 "this is a defect of tempera; please report it with the command line");
  }
}

}  // namespace tempera
