#pragma once

namespace tempera::detail {

// MPI promises tags up to 32767. Objects use the lower half with the caller's tags, the library itself the upper half.
constexpr int kFirstInternalTag = 16384;
constexpr int kArrivalTag = kFirstInternalTag;
constexpr int kTransferTag = kFirstInternalTag + 1;
constexpr int kNoticeTag = kFirstInternalTag + 2;
constexpr int kWaitReportTag = kFirstInternalTag + 3;
constexpr int kLetterTag = kFirstInternalTag + 4;
constexpr int kSelectTag = kFirstInternalTag + 5;
constexpr int kCreateTag = kFirstInternalTag + 6;

}  // namespace tempera::detail
