// Of boards with an [update] table in their board.toml, in a firmware that is built with UPDATE=1: the flash
// that a new model goes to, and the slots in it. A board's own folder implements the flash.
#ifndef FIRMWARE_CPP_BOARDS_UPDATE_FLASH_H_
#define FIRMWARE_CPP_BOARDS_UPDATE_FLASH_H_

#include "update/flash.h"
#include "update/slot_store.h"

namespace board {

// The flash's driver. After Init().
const update::Flash& UpdateFlash();

// The slots, as board.toml has them; returns how many.
int UpdateSlots(const update::Slot** slots);

}  // namespace board

#endif  // FIRMWARE_CPP_BOARDS_UPDATE_FLASH_H_
