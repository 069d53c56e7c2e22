#pragma once

#include <gtest/gtest.h>
#include <netcdf.h>

#include <array>
#include <string>
#include <vector>

namespace tempera::test {

/// What the NetCDF library reads of a file.
class NetcdfContents {
 public:
  explicit NetcdfContents(const std::string& path) { check(nc_open(path.c_str(), NC_NOWRITE, &file_)); }
  NetcdfContents(const NetcdfContents&) = delete;
  NetcdfContents& operator=(const NetcdfContents&) = delete;
  ~NetcdfContents() { nc_close(file_); }

  std::vector<double> values(const std::string& group, const std::string& name) const {
    std::size_t cells = 1;
    for (const std::size_t size : sizes(group, name)) cells *= size;
    std::vector<double> values(cells);
    check(nc_get_var_double(id(group), variable(group, name), values.data()));
    return values;
  }
  nc_type type(const std::string& group, const std::string& name) const {
    nc_type type = NC_NAT;
    check(nc_inq_vartype(id(group), variable(group, name), &type));
    return type;
  }
  /// Does the library fill a variable before it is written?
  bool fills(const std::string& group, const std::string& name) const {
    int never = 0;
    check(nc_inq_var_fill(id(group), variable(group, name), &never, nullptr));
    return never == 0;
  }
  std::vector<std::string> dimensions(const std::string& group, const std::string& name) const {
    std::vector<std::string> names;
    for (const int dimension : dimension_ids(group, name)) {
      std::array<char, NC_MAX_NAME + 1> text{};
      check(nc_inq_dimname(id(group), dimension, text.data()));
      names.emplace_back(text.data());
    }
    return names;
  }
  std::vector<std::size_t> sizes(const std::string& group, const std::string& name) const {
    std::vector<std::size_t> sizes;
    for (const int dimension : dimension_ids(group, name))
      check(nc_inq_dimlen(id(group), dimension, &sizes.emplace_back(0)));
    return sizes;
  }
  /// Of a group ("" is the file), or of a variable in it.
  std::string text(const std::string& group, const std::string& attribute, const std::string& name = "") const {
    const int owner = name.empty() ? NC_GLOBAL : variable(group, name);
    std::size_t length = 0;
    check(nc_inq_attlen(id(group), owner, attribute.c_str(), &length));
    std::string text(length, '\0');
    check(nc_get_att_text(id(group), owner, attribute.c_str(), text.data()));
    return text;
  }
  double number(const std::string& group, const std::string& attribute) const {
    double value = 0;
    check(nc_get_att_double(id(group), NC_GLOBAL, attribute.c_str(), &value));
    return value;
  }

 private:
  static void check(int code) { ASSERT_EQ(code, NC_NOERR) << nc_strerror(code); }
  int id(const std::string& group) const {
    int id = file_;
    if (!group.empty()) check(nc_inq_ncid(file_, group.c_str(), &id));
    return id;
  }
  int variable(const std::string& group, const std::string& name) const {
    int variable = -1;
    check(nc_inq_varid(id(group), name.c_str(), &variable));
    return variable;
  }
  std::vector<int> dimension_ids(const std::string& group, const std::string& name) const {
    int count = 0;
    check(nc_inq_varndims(id(group), variable(group, name), &count));
    std::vector<int> ids(static_cast<std::size_t>(count));
    check(nc_inq_vardimid(id(group), variable(group, name), ids.data()));
    return ids;
  }

  int file_ = -1;
};

}  // namespace tempera::test
