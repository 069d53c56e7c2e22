#include "drivers/dispatch.hpp"

int main(int argc, char** argv) {
  return tempera::drivers::dispatch({argv + 1, argv + argc});
}
