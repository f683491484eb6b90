// Arm MPS2 with the AN500 FPGA image (Cortex-M7).
#include "common/mps2.h"
