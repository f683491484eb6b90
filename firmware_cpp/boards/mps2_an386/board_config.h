// Numbers of the AN386 FPGA image for common/.
#ifndef FIRMWARE_CPP_BOARDS_MPS2_AN386_BOARD_CONFIG_H_
#define FIRMWARE_CPP_BOARDS_MPS2_AN386_BOARD_CONFIG_H_

#include "common/mps2_config.h"

namespace board {

constexpr char kName[] = "mps2_an386";

}  // namespace board

#endif  // FIRMWARE_CPP_BOARDS_MPS2_AN386_BOARD_CONFIG_H_
