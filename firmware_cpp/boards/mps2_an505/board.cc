// Arm MPS2 with the AN505 FPGA image (Cortex-M33).
#include "common/mps2.h"
