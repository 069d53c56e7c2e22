#include <gtest/gtest.h>
#include <mpi.h>

#include <cstdio>
#include <string>
#include <vector>

// GoogleTest under mpirun. Rank 0 prints; failures of all ranks are gathered after each test and printed there with the
// rank that saw them; every rank leaves with the same status. The listener talks on a communicator of its own and
// polls, so that ranks may reach the end of a test in any order.

namespace {

class GatheringListener : public testing::EmptyTestEventListener {
 public:
  GatheringListener(MPI_Comm comm, testing::TestEventListener* printer) : comm_(comm), printer_(printer) {
    MPI_Comm_rank(comm_, &rank_);
    MPI_Comm_size(comm_, &size_);
  }
  ~GatheringListener() override { delete printer_; }

  void OnTestProgramStart(const testing::UnitTest& unit) override {
    if (rank_ == 0) printer_->OnTestProgramStart(unit);
  }
  void OnTestSuiteStart(const testing::TestSuite& suite) override {
    if (rank_ == 0) printer_->OnTestSuiteStart(suite);
  }
  void OnTestStart(const testing::TestInfo& info) override {
    failures_.clear();
    if (rank_ == 0) printer_->OnTestStart(info);
  }
  void OnTestPartResult(const testing::TestPartResult& result) override {
    if (!result.failed()) return;
    failures_ += std::string(result.file_name() ? result.file_name() : "?") + ":" +
                 std::to_string(result.line_number()) + ": " + result.message() + "\n";
  }
  void OnTestEnd(const testing::TestInfo& info) override {
    const int failed_here = failures_.empty() ? 0 : 1;
    std::vector<int> lengths(static_cast<std::size_t>(size_));
    const int length = static_cast<int>(failures_.size());
    MPI_Gather(&length, 1, MPI_INT, lengths.data(), 1, MPI_INT, 0, comm_);
    if (rank_ == 0) {
      for (int rank = 0; rank < size_; ++rank) {
        std::string text = failures_;
        if (rank != 0) {
          text.resize(static_cast<std::size_t>(lengths[static_cast<std::size_t>(rank)]));
          if (!text.empty())
            MPI_Recv(text.data(), static_cast<int>(text.size()), MPI_CHAR, rank, 0, comm_, MPI_STATUS_IGNORE);
        }
        if (!text.empty()) std::printf("[rank %d of %d] %s", rank, size_, text.c_str());
      }
    } else if (!failures_.empty()) {
      MPI_Send(failures_.data(), length, MPI_CHAR, 0, 0, comm_);
    }
    int failed = 0;
    MPI_Allreduce(&failed_here, &failed, 1, MPI_INT, MPI_MAX, comm_);
    // What another rank saw makes the test fail here as well, so that the summary and the status agree.
    if (failed && !failed_here) {
      ADD_FAILURE_AT(info.file(), info.line()) << "failed on another rank";
    }
    if (rank_ == 0) printer_->OnTestEnd(info);
    std::fflush(stdout);
  }
  void OnTestSuiteEnd(const testing::TestSuite& suite) override {
    if (rank_ == 0) printer_->OnTestSuiteEnd(suite);
  }
  void OnTestProgramEnd(const testing::UnitTest& unit) override {
    if (rank_ == 0) printer_->OnTestProgramEnd(unit);
  }

 private:
  MPI_Comm comm_;
  testing::TestEventListener* printer_;
  int rank_ = 0;
  int size_ = 1;
  std::string failures_;
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
  int failed = RUN_ALL_TESTS() != 0 ? 1 : 0;
  int any = 0;
  MPI_Allreduce(&failed, &any, 1, MPI_INT, MPI_MAX, comm);
  MPI_Comm_free(&comm);
  MPI_Finalize();
  return any;
}
