// Arm MPS2 with the AN386 FPGA image (Cortex-M4F).
#include "common/mps2.h"
