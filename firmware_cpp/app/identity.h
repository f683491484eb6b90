// What tells one firmware from another: INFO of the link (docs/link.md) has it.
#ifndef FIRMWARE_CPP_APP_IDENTITY_H_
#define FIRMWARE_CPP_APP_IDENTITY_H_

#include <stdint.h>

namespace app {

// 8 bytes: the first ones of the ELF's GNU build id, which the linker makes of the whole image.
const uint8_t* BuildId();

// 32 bytes: the SHA-256 of Model(), computed at the first call. It takes about 100 instructions a byte.
const uint8_t* EngineSha256();

}  // namespace app

#endif  // FIRMWARE_CPP_APP_IDENTITY_H_
