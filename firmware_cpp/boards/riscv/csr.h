// Control and status registers of machine mode, and the CLINT's. Sources: The RISC-V Instruction Set Manual,
// volume II (privileged architecture 20211203), chapter 3; the RISC-V ACLINT specification 1.0, chapters
// 2, 3.
#ifndef FIRMWARE_CPP_BOARDS_RISCV_CSR_H_
#define FIRMWARE_CPP_BOARDS_RISCV_CSR_H_

#include <stdint.h>

#define RISCV_READ_CSR(name)                                 \
  ({                                                         \
    uint32_t value;                                          \
    asm volatile("csrr %0, " #name : "=r"(value)::"memory"); \
    value;                                                   \
  })
#define RISCV_WRITE_CSR(name, value) asm volatile("csrw " #name ", %0" ::"r"(value) : "memory")

namespace riscv {

inline volatile uint32_t& Register(uint32_t address) {
  return *reinterpret_cast<volatile uint32_t*>(address);
}

// mie and mip (3.1.9).
constexpr uint32_t kInterruptSoftware = 1u << 3;
constexpr uint32_t kInterruptTimer = 1u << 7;
constexpr uint32_t kInterruptExternal = 1u << 11;

// pmpcfg0 (3.7.1): a locked region without permissions binds machine mode, too.
constexpr uint32_t kPmpLocked = 1u << 7;
constexpr uint32_t kPmpNaturallyAligned = 3u << 3;

// CLINT, from its base: software interrupt, timer compare (64 bits), timer (64 bits) of hart 0.
constexpr uint32_t kClintSoftware = 0x0000;
constexpr uint32_t kClintCompare = 0x4000;
constexpr uint32_t kClintTime = 0xBFF8;

}  // namespace riscv

#endif  // FIRMWARE_CPP_BOARDS_RISCV_CSR_H_
