# Flags for the project's own code only; never exported to users of the installed package.
add_library(tempera_flags INTERFACE)
target_compile_options(tempera_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wcast-align -Woverloaded-virtual
  $<$<BOOL:${TEMPERA_WERROR}>:-Werror>)
# GoogleTest, Boost and nlohmann-json reach GCC 12's false positives only through inlining; keep the rest fatal.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(tempera_flags INTERFACE -Wno-error=maybe-uninitialized -Wno-error=restrict)
endif()
# File names in messages are the repository's, wherever it was built.
target_compile_options(tempera_flags INTERFACE "-fmacro-prefix-map=${PROJECT_SOURCE_DIR}/=")
# HDF5's wrapper names libraries that only its static build needs; loading them would slow every start.
target_link_options(tempera_flags INTERFACE -Wl,--as-needed)
target_compile_definitions(tempera_flags INTERFACE
  $<$<OR:$<CONFIG:Debug>,$<BOOL:${TEMPERA_CONTRACTS}>>:TEMPERA_CONTRACTS=1>
  OMPI_SKIP_MPICXX=1)
if(TEMPERA_SANITIZE)
  target_compile_options(tempera_flags INTERFACE
    -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer -g1)
  target_link_options(tempera_flags INTERFACE -fsanitize=address,undefined)
endif()
