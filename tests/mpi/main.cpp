#include <gtest/gtest.h>
#include <mpi.h>

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

// GoogleTest under mpirun. Rank 0 prints. The failures of every rank are gathered after each test and printed with the
// rank that saw them, and all ranks leave with the same status. Tests run their bodies in on_all_ranks
// (tests/support/mpi.hpp): a fatal assertion throws, which makes the other ranks leave the body too.

namespace {

class GatheringListener : public testing::EmptyTestEventListener {
 public:
  GatheringListener(MPI_Comm comm, testing::TestEventListener* printer) : comm_(comm), printer_(printer) {
    MPI_Comm_rank(comm_, &rank_);
    MPI_Comm_size(comm_, &size_);
  }

  void OnTestProgramStart(const testing::UnitTest& unit) override {
    if (rank_ == 0) printer_->OnTestProgramStart(unit);
  }
  void OnTestIterationStart(const testing::UnitTest& unit, int iteration) override {
    if (rank_ == 0) printer_->OnTestIterationStart(unit, iteration);
  }
  void OnTestSuiteStart(const testing::TestSuite& suite) override {
    if (rank_ == 0) printer_->OnTestSuiteStart(suite);
  }
  void OnTestStart(const testing::TestInfo& info) override {
    failures_.clear();
    if (rank_ == 0) printer_->OnTestStart(info);
  }
  void OnTestPartResult(const testing::TestPartResult& result) override {
    if (result.skipped() && rank_ == 0) printer_->OnTestPartResult(result);
    if (!result.failed()) return;
    const char* file = result.file_name() != nullptr ? result.file_name() : "unknown file";
    failures_ += std::string(file) + ":" + std::to_string(result.line_number()) + ": " + result.message() + "\n";
  }
  void OnTestEnd(const testing::TestInfo& info) override {
    const int failed_here = failures_.empty() ? 0 : 1;
    int failed = 0;
    MPI_Allreduce(&failed_here, &failed, 1, MPI_INT, MPI_MAX, comm_);
    if (failed) print_failures();
    // What another rank saw makes the test fail here as well, so that summary and status agree.
    if (failed && !failed_here) ADD_FAILURE_AT(info.file(), info.line()) << "failed on another rank";
    if (rank_ == 0) printer_->OnTestEnd(info);
    std::fflush(stdout);
  }
  void OnTestSuiteEnd(const testing::TestSuite& suite) override {
    if (rank_ == 0) printer_->OnTestSuiteEnd(suite);
  }
  void OnTestIterationEnd(const testing::UnitTest& unit, int iteration) override {
    if (rank_ == 0) printer_->OnTestIterationEnd(unit, iteration);
    std::fflush(stdout);  // mpirun kills the other ranks when one leaves with a failure
  }
  void OnTestProgramEnd(const testing::UnitTest& unit) override {
    if (rank_ == 0) printer_->OnTestProgramEnd(unit);
  }

 private:
  void print_failures() const {
    if (rank_ != 0) {
      MPI_Send(failures_.data(), static_cast<int>(failures_.size()), MPI_CHAR, 0, 0, comm_);
      return;
    }
    for (int rank = 0; rank < size_; ++rank) {
      std::string text = failures_;
      if (rank != 0) {
        MPI_Status status;
        int length = 0;
        MPI_Probe(rank, 0, comm_, &status);
        MPI_Get_count(&status, MPI_CHAR, &length);
        text.resize(static_cast<std::size_t>(length));
        MPI_Recv(text.data(), length, MPI_CHAR, rank, 0, comm_, MPI_STATUS_IGNORE);
      }
      if (!text.empty()) std::printf("[rank %d of %d] %s", rank, size_, text.c_str());
    }
  }

  MPI_Comm comm_;
  std::unique_ptr<testing::TestEventListener> printer_;
  int rank_ = 0;
  int size_ = 1;
  std::string failures_;
};

/// Must be the last listener: the others see the failure before it is thrown.
class ThrowingListener : public testing::EmptyTestEventListener {
  void OnTestPartResult(const testing::TestPartResult& result) override {
    if (result.type() == testing::TestPartResult::kFatalFailure) throw testing::AssertionException(result);
  }
};

}  // namespace

int main(int argc, char** argv) {
  int provided = 0;
  MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &provided);
  MPI_Comm comm = MPI_COMM_NULL;
  MPI_Comm_dup(MPI_COMM_WORLD, &comm);
  testing::InitGoogleTest(&argc, argv);
  testing::TestEventListeners& listeners = testing::UnitTest::GetInstance()->listeners();
  listeners.Append(new GatheringListener(comm, listeners.Release(listeners.default_result_printer())));
  listeners.Append(new ThrowingListener);
  const int failed = RUN_ALL_TESTS() != 0 ? 1 : 0;
  int failed_anywhere = 0;
  MPI_Allreduce(&failed, &failed_anywhere, 1, MPI_INT, MPI_MAX, comm);
  MPI_Comm_free(&comm);
  MPI_Finalize();
  return failed_anywhere;
}
