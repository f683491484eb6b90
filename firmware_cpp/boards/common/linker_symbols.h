// Symbols of sections.ld. Only their addresses mean something.
#ifndef FIRMWARE_CPP_BOARDS_COMMON_LINKER_SYMBOLS_H_
#define FIRMWARE_CPP_BOARDS_COMMON_LINKER_SYMBOLS_H_

#include <stdint.h>

extern "C" {
extern uint32_t linker_stack_limit[];
extern uint32_t linker_stack_top[];
extern uint32_t linker_second_stack_limit[];
extern uint32_t linker_second_stack_top[];
extern uint32_t linker_data_start[];
extern uint32_t linker_data_end[];
extern const uint32_t linker_data_image[];
extern uint32_t linker_bss_start[];
extern uint32_t linker_bss_end[];
extern const char linker_code_start[];
extern const char linker_code_end[];
// Sizes in bytes, as addresses.
extern const char linker_flash_used[];
extern const char linker_flash_total[];
extern const char linker_sram_static[];
extern const char linker_sram_total[];
}

#endif  // FIRMWARE_CPP_BOARDS_COMMON_LINKER_SYMBOLS_H_
