#pragma once

namespace tempera {

/// MPI for the lifetime of a command: initialises MPI if nobody has, and finalises what it initialised.
///
/// Inside a program that runs MPI already it does nothing (owns() is false). MPI is started with
/// MPI_THREAD_FUNNELED: only the thread that made this object may use communicators. All communicators must be gone
/// before it is destroyed.
class MpiEnvironment {
 public:
  /// @throws Error{environment} if MPI has already been finalised, or cannot give MPI_THREAD_FUNNELED
  MpiEnvironment(int& argc, char**& argv);
  MpiEnvironment();
  ~MpiEnvironment();
  MpiEnvironment(const MpiEnvironment&) = delete;
  MpiEnvironment& operator=(const MpiEnvironment&) = delete;

  /// This object initialised MPI and will finalise it.
  bool owns() const { return owns_; }

 private:
  bool owns_;
};

}  // namespace tempera
