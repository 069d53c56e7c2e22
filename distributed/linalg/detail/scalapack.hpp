#pragma once

#include <mpi.h>

// What Tempera calls of BLACS, PBLAS, ScaLAPACK and its redistribution: 32-bit integers, indices from 1, matrices by
// pointer and descriptor of nine numbers. Character arguments go without their hidden lengths, which are 1.

extern "C" {
int Csys2blacs_handle(MPI_Comm communicator);
void Cfree_blacs_system_handle(int handle);
void Cblacs_gridmap(int* context, int* ranks, int leading, int rows, int columns);
void Cblacs_gridexit(int context);

void Cpdgemr2d(int m, int n, const double* a, int ia, int ja, const int* da, double* b, int ib, int jb, const int* db,
               int context);

void pdgemm_(const char* ta, const char* tb, const int* m, const int* n, const int* k, const double* alpha,
             const double* a, const int* ia, const int* ja, const int* da, const double* b, const int* ib,
             const int* jb, const int* db, const double* beta, double* c, const int* ic, const int* jc, const int* dc);
void pdsyrk_(const char* triangle, const char* t, const int* n, const int* k, const double* alpha, const double* a,
             const int* ia, const int* ja, const int* da, const double* beta, double* c, const int* ic, const int* jc,
             const int* dc);
void pdtrsm_(const char* side, const char* triangle, const char* t, const char* unit, const int* m, const int* n,
             const double* alpha, const double* a, const int* ia, const int* ja, const int* da, double* b,
             const int* ib, const int* jb, const int* db);

void pdpotrf_(const char* triangle, const int* n, double* a, const int* ia, const int* ja, const int* da, int* info);
void pdpotri_(const char* triangle, const int* n, double* a, const int* ia, const int* ja, const int* da, int* info);
void pdgesv_(const int* n, const int* columns, double* a, const int* ia, const int* ja, const int* da, int* pivots,
             double* b, const int* ib, const int* jb, const int* db, int* info);
void pdgeqrf_(const int* m, const int* n, double* a, const int* ia, const int* ja, const int* da, double* tau,
              double* work, const int* length, int* info);
void pdorgqr_(const int* m, const int* n, const int* k, double* a, const int* ia, const int* ja, const int* da,
              const double* tau, double* work, const int* length, int* info);
void pdsyevd_(const char* vectors, const char* triangle, const int* n, double* a, const int* ia, const int* ja,
              const int* da, double* values, double* z, const int* iz, const int* jz, const int* dz, double* work,
              const int* length, int* integers, const int* integer_length, int* info);
void pdgesvd_(const char* left, const char* right, const int* m, const int* n, double* a, const int* ia, const int* ja,
              const int* da, double* values, double* u, const int* iu, const int* ju, const int* du, double* vt,
              const int* ivt, const int* jvt, const int* dvt, double* work, const int* length, int* info);
}
